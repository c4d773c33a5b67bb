//! Visits every state of a model breadth first, so that each fault is found by one of the shortest paths.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A system with states and transitions between them.
pub(crate) trait Model {
    /// The state. Two states with the same hash are the same state.
    type State: Hash;
    /// A transition from one state to another.
    type Act: Copy + Debug + PartialEq;

    /// The initial state.
    fn start(&self) -> Self::State;
    /// All possible transitions, with the states to which they lead.
    fn successors(&self, state: &Self::State) -> Vec<(Self::Act, Self::State)>;
    /// The errors of a state.
    fn faults(&self, state: &Self::State) -> Vec<String>;
    /// The errors of a transition.
    fn faults_between(&self, before: &Self::State, after: &Self::State) -> Vec<String>;
    /// The notable properties of a state, to check that certain kinds of states were reached.
    fn sights(&self, state: &Self::State) -> Vec<&'static str>;
}

/// The result of a search.
#[derive(Debug)]
pub(crate) struct Report<A> {
    /// The number of states that were reached, each counted once.
    pub(crate) states: usize,
    /// The number of transitions between them.
    pub(crate) ways: usize,
    /// Whether these are all states, however many steps are taken.
    pub(crate) is_complete: bool,
    /// For each property, the number of states that have it.
    pub(crate) sights: BTreeMap<&'static str, usize>,
    /// The first error.
    pub(crate) broken: Option<Broken<A>>,
}

/// An error, and the path on which it was found.
#[derive(Debug)]
pub(crate) struct Broken<A> {
    /// The transitions that led to it.
    #[expect(dead_code, reason = "printed where a test fails")]
    pub(crate) path: Vec<A>,
    /// The errors after the last of them.
    pub(crate) faults: Vec<String>,
}

/// Visits every state within this many steps from the initial one, until there is an error.
///
/// Only the hashes of visited states are kept: with ten million states, the chance that two share a hash is one in a million.
pub(crate) fn explore<M: Model>(model: &M, steps: usize) -> Report<M::Act> {
    let start = model.start();
    let mut origins: HashMap<u64, Option<(u64, M::Act)>> = HashMap::from([(hash(&start), None)]);
    let mut report = Report { states: 0, ways: 0, is_complete: false, sights: BTreeMap::new(), broken: None };
    visit(model, &start, &mut report);
    let mut frontier = vec![start];
    for _ in 0..steps {
        let mut next = Vec::new();
        for state in &frontier {
            let from = hash(state);
            for (act, successor) in model.successors(state) {
                report.ways += 1;
                let mut faults = model.faults_between(state, &successor);
                if let Entry::Vacant(origin) = origins.entry(hash(&successor)) {
                    origin.insert(Some((from, act)));
                    faults.extend(visit(model, &successor, &mut report));
                    next.push(successor);
                }
                if !faults.is_empty() {
                    let mut path = path_to(&origins, from);
                    path.push(act);
                    report.broken = Some(Broken { path, faults });
                    return report;
                }
            }
        }
        if next.is_empty() {
            report.is_complete = true;
            break;
        }
        frontier = next;
    }
    report
}

fn visit<M: Model>(model: &M, state: &M::State, report: &mut Report<M::Act>) -> Vec<String> {
    report.states += 1;
    for sight in model.sights(state) {
        *report.sights.entry(sight).or_default() += 1;
    }
    model.faults(state)
}

fn hash(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

fn path_to<A: Copy>(origins: &HashMap<u64, Option<(u64, A)>>, mut at: u64) -> Vec<A> {
    let mut path = Vec::new();
    while let Some((from, act)) = origins[&at] {
        path.push(act);
        at = from;
    }
    path.reverse();
    path
}
