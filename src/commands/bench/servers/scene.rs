//! What is to be measured: loads, each with so many connections.

use super::load::Load;
use super::options::Options;
use crate::commands::listen::Model;
use crate::error::Error;
use clap::ValueEnum as _;
use std::fmt;
use std::thread;
use std::time::Duration;

/// A load with so many connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) load: Load,
    /// How many connections are open.
    pub(super) connections: usize,
    /// How many of them ask.
    pub(super) busy: usize,
    /// How many of those have their requests computed.
    pub(super) computing: usize,
    /// For how long.
    pub(super) compute: Duration,
    /// How many threads the clients have.
    pub(super) clients: usize,
    /// The models that are compared.
    pub(super) models: Vec<Model>,
}

/// All scenes: the connections matter to one load, and of the others one number is enough.
pub(super) fn plan(options: &Options) -> Result<Vec<Scene>, Error> {
    let models: Vec<Model> = distinct(&options.model, Model::value_variants());
    let mut connections: Vec<usize> = options.connections().iter().map(|&n| n as usize).collect();
    connections.sort_unstable();
    connections.dedup();
    let busy = options.busy as usize;
    // The other half of the processors is the server's.
    let usual = || thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1));
    let clients = options.clients.map_or_else(usual, |n| n as usize);
    let scene = |load, connections: usize| Scene {
        load,
        connections,
        busy: busy.min(connections),
        computing: if load == Load::Compute { options.computing as usize } else { 0 },
        compute: options.compute,
        clients,
        models: models.clone(),
    };
    let mut plan = Vec::new();
    for load in distinct(&options.load, Load::value_variants()) {
        match load {
            Load::Echo => plan.extend(connections.iter().map(|&n| scene(load, n))),
            Load::Connect => plan.push(scene(load, busy)),
            Load::Compute => plan.push(scene(load, connections[0].max(busy))),
        }
    }
    match plan.iter().find(|scene| scene.computing > scene.busy) {
        Some(scene) => Err(Error::Usage(format!(
            "--computing {} is more than there are busy connections: --busy is {}",
            scene.computing, scene.busy
        ))),
        None => Ok(plan),
    }
}

/// What was chosen, each once; all, if nothing was.
fn distinct<T: Copy + PartialEq>(chosen: &[T], all: &[T]) -> Vec<T> {
    all.iter().copied().filter(|one| chosen.is_empty() || chosen.contains(one)).collect()
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} connections", self.load.name(), self.connections)
    }
}
