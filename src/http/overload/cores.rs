use std::thread::available_parallelism;

/// Returns the number of cores that limits scale with: those of this machine, 16 at most.
pub fn counted_cores() -> usize {
    available_parallelism().map_or(1, usize::from).min(16)
}
