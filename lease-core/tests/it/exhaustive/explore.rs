//! Breadth first through every state of a model, so that what is found is found on one of the shortest ways.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Something that can be in states, and get from one to others.
pub(crate) trait Model {
    /// All there is to know; what differs in no hash is the same state.
    type State: Hash;
    /// What leads from one state to another.
    type Act: Copy + Debug + PartialEq;

    /// Where it starts.
    fn start(&self) -> Self::State;
    /// All that may happen next, and where that leads.
    fn successors(&self, state: &Self::State) -> Vec<(Self::Act, Self::State)>;
    /// What is wrong with a state.
    fn faults(&self, state: &Self::State) -> Vec<String>;
    /// What is wrong with getting from one state to another.
    fn faults_between(&self, before: &Self::State, after: &Self::State) -> Vec<String>;
    /// What is noteworthy about a state: to know that the states one cares for were reached.
    fn sights(&self, state: &Self::State) -> Vec<&'static str>;
}

/// What there was to see.
#[derive(Debug)]
pub(crate) struct Report<A> {
    /// How many states were reached, each of them once.
    pub(crate) states: usize,
    /// How many ways led from one to another.
    pub(crate) ways: usize,
    /// Whether these are all there are, however many steps are taken.
    pub(crate) is_complete: bool,
    /// How many states each sight was seen in.
    pub(crate) sights: BTreeMap<&'static str, usize>,
    /// The first thing that is wrong.
    pub(crate) broken: Option<Broken<A>>,
}

/// Something is wrong.
#[derive(Debug)]
pub(crate) struct Broken<A> {
    /// What was done.
    #[expect(dead_code, reason = "printed where a test fails")]
    pub(crate) path: Vec<A>,
    /// What is wrong then.
    pub(crate) faults: Vec<String>,
}

/// Visits every state within so many steps from the start, until something is wrong.
///
/// Of the states that were visited only hashes are kept: of ten million states two share one by a chance of one in a million.
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
