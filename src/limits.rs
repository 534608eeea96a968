//! Every limit on what a guest may make the host take, with its reason.

/// Limits of a store, and of loading a component. All of them are settable; see the two profiles.
///
/// ```
/// use cellule::Limits;
///
/// let small = Limits {
///     string_bytes: 1 << 10,
///     ..Limits::mcu()
/// };
/// assert!(small.memory_bytes < Limits::server().memory_bytes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one thread of execution's stack of frames: bounds recursion. A trap beyond it.
    pub stack_bytes: usize,
    /// Bytes of one linear memory: `memory.grow` answers −1 beyond it.
    pub memory_bytes: usize,
    /// Bytes of all linear memories of a store: a module may have a thousand. As above.
    pub total_memory_bytes: usize,
    /// Elements of one table: `table.grow` answers −1 beyond it.
    pub table_elements: u32,
    /// Elements of all tables of a store, of four bytes each. As above.
    pub total_table_elements: usize,
    /// Bytes of exceptions that guests or the host hold references to. A trap beyond it.
    pub exception_bytes: usize,
    /// Calls of a host function into a guest inside each other: each is native recursion.
    pub host_recursion: u32,
    /// Core instances that one component makes. Components nested in each other double them with
    /// each level, so a binary of a kilobyte can ask for millions. An error beyond it, when loading.
    pub core_instances: u32,
    /// Component instances that one component makes, for the same reason.
    pub component_instances: u32,
    /// Steps of working out what a component's instantiation does: definitions, arguments and
    /// exports of every component instance. Bounds the time and memory of loading.
    pub component_steps: u32,
    /// Bytes of one string that crosses a component's boundary, at most 2³¹ − 1. A trap beyond it. The
    /// specification's own limit is 2²⁸ − 1.
    pub string_bytes: u32,
    /// Fuel that one `realloc` may use when the host stores a value in a guest: a slice of fuel doesn't
    /// stop it. Only where fuel is consumed.
    pub realloc_fuel: u64,
}

impl Limits {
    /// For servers and desktops.
    pub const fn server() -> Limits {
        Limits {
            stack_bytes: 8 << 20,
            memory_bytes: if usize::BITS > 32 {
                (1u64 << 32) as usize
            } else {
                usize::MAX >> 1
            },
            total_memory_bytes: if usize::BITS > 32 {
                (1u64 << 34) as usize
            } else {
                usize::MAX >> 1
            },
            table_elements: 10_000_000,
            total_table_elements: 40_000_000,
            exception_bytes: 64 << 20,
            host_recursion: 100,
            core_instances: 10_000,
            component_instances: 10_000,
            component_steps: 1_000_000,
            string_bytes: (1 << 28) - 1,
            realloc_fuel: 1_000_000_000,
        }
    }

    /// For microcontrollers with a few hundred kilobytes of RAM.
    pub const fn mcu() -> Limits {
        Limits {
            stack_bytes: 16 << 10,
            memory_bytes: 256 << 10,
            total_memory_bytes: 256 << 10,
            table_elements: 4_096,
            total_table_elements: 8_192,
            exception_bytes: 4 << 10,
            host_recursion: 4,
            core_instances: 64,
            component_instances: 128,
            component_steps: 20_000,
            string_bytes: 64 << 10,
            realloc_fuel: 10_000_000,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::server()
    }
}
