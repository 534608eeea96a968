//! Empty: this package only names where the official component suite comes from.
