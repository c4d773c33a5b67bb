//! The CPU time that processes have used, in microseconds, as Linux counts it.

use std::fs;

/// The unit of the times in `/proc`, in microseconds.
const TICK: f64 = 10_000.0;

/// The times of a process, in ticks.
struct Times {
    parent: u32,
    own: u32,
    ended_children: u32,
}

impl Times {
    /// `None` once the process has ended.
    fn of(process: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, behind_name) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = behind_name.split(' ').collect();
        let number = |place: usize| fields[place].parse::<u32>().unwrap();
        Some(Self { parent: number(1), own: number(11) + number(12), ended_children: number(13) + number(14) })
    }
}

/// The time that a process has used, all its threads together.
pub(crate) fn of_process(process: u32) -> f64 {
    TICK * f64::from(Times::of(process).expect("the process runs").own)
}

/// The time that a process and its children have used, also those that have ended.
pub(crate) fn of_family(parent: u32) -> f64 {
    loop {
        let before = Times::of(parent).expect("the process runs");
        let children: u32 = processes().filter_map(Times::of).filter(|times| times.parent == parent).map(|times| times.own).sum();
        let after = Times::of(parent).expect("the process runs");
        // Otherwise a child has ended meanwhile, and may have been counted twice or not at all.
        if before.ended_children == after.ended_children {
            return TICK * f64::from(after.own + after.ended_children + children);
        }
    }
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").expect("Linux").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}
