//! What a run of a program costs.

#![allow(unsafe_code)]

use crate::Result;
use crate::median::median;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Wall and processor time in ms, peak memory in MiB, output in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) rss: f64,
    pub(crate) output: f64,
}

impl Cost {
    /// The median of each figure by itself.
    pub(crate) fn median(costs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(costs.iter().map(figure));
        Self { wall: of(|c| c.wall), cpu: of(|c| c.cpu), rss: of(|c| c.rss), output: of(|c| c.output) }
    }
}

/// The cost of one run of `command`. A process of its own takes it, because a child's peak memory
/// starts at that of the process it was forked from, and this one has grown.
pub(crate) fn of(command: &[String]) -> Result<Cost> {
    let output = Command::new(std::env::current_exe()?).arg("--meter").args(command).output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    match figures[..] {
        [wall, cpu, rss, output] => Ok(Cost { wall, cpu, rss, output }),
        _ => Err(format!("{} could not be measured", command[0]).into()),
    }
}

/// What that process does.
pub(crate) fn run(command: &[&str]) -> Result<()> {
    let (program, args) = command.split_first().ok_or("--meter takes a command")?;
    let mut buffer = vec![0; 1 << 16];
    let mut output = 0;
    let start = Instant::now();
    let mut child = Command::new(program).args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut stdout = child.stdout.take().ok_or("no stdout")?;
    loop {
        match stdout.read(&mut buffer)? {
            0 => break,
            n => output += n,
        }
    }
    let mut status = 0;
    // SAFETY: all zeros are a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live variables of the right type, and the child is waited for
    // only here, so that the pid is still its own.
    let pid = unsafe { libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) };
    let wall = start.elapsed();
    if pid != child.id() as i32 || !libc::WIFEXITED(status) || libc::WEXITSTATUS(status) != 0 {
        return Err(format!("{program} failed").into());
    }
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    let cpu = ms(usage.ru_utime) + ms(usage.ru_stime);
    println!("{} {cpu} {} {output}", wall.as_secs_f64() * 1e3, usage.ru_maxrss as f64 / 1024.0);
    Ok(())
}
