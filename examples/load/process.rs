//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process that is killed when this is dropped.
pub struct Running(Child);

impl Running {
    /// Starts a process with an otherwise empty environment, and discards its output.
    pub fn start(mut command: Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")))
    }

    /// Returns its CPU time in user and kernel mode.
    pub fn cpu(&self) -> Duration {
        cpu_of(&self.0.id().to_string())
    }

    /// Returns its resident memory in bytes.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
        kibibytes.unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the CPU time of this process.
pub fn own_cpu() -> Duration {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Duration {
    /// `USER_HZ`, which is 100 on every Linux architecture that Rust supports.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in parentheses, may contain spaces. proc_pid_stat(5): utime is the 14th
    // field, stime the 15th.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
