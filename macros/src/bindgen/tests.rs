//! Tests of the bindings as tokens, and of the errors that name lines of WIT.
