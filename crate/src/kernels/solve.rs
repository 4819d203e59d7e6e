//! The kernel for a problem.

use super::{
    block::run_blocks,
    general::{Aims, General, Inputs, Outlined, Task},
    hard,
    problem::Problem,
    rows::{Rows, Weights},
    sink::Sink,
};
use crate::{
    loss::focal::{Focal, FocusOn, Hard},
    math::Real,
};

/// Solves `problem` for `rows`, of target classes or, where they are not null, of class
/// probabilities, and puts the values into `sink`.
///
/// # Safety
/// The pointers of `rows` must be valid for the sizes it states, every target be in `[0, classes)`
/// or ignored, or there be probabilities for each logit in place of targets; there must be a gamma
/// and a weight for every class, and `classes ≥ 2`.
pub unsafe fn solve<V: Real>(
    rows: &Rows<V::Scalar>,
    probabilities: *const V::Scalar,
    problem: &Problem,
    sink: &mut dyn Sink<V>,
) {
    let plan = plan(problem, !probabilities.is_null(), rows.weights.is_none());
    let Some(task) = plan.task else {
        // SAFETY: passed on.
        return unsafe { hard::focal::<V>(rows, &plan.focal, sink) };
    };
    let weights = |weighed| if plan.weighed == weighed { rows.weights } else { Weights::none() };
    let kernel = General {
        loss: Hard::of(&plan.focal, Outlined::new(plan.focal.gamma)),
        inputs: Inputs {
            classes: rows.classes,
            logits: rows.logits,
            aims: Aims {
                probabilities,
                smoothing: plan.focal.label_smoothing,
                weights: weights(Weighed::Terms),
                mean: (plan.weighed == Weighed::Mixture).then_some(rows.weights),
            },
        },
        task,
        single: plan.single.then_some((plan.focal, rows.weights)),
    };
    // SAFETY: passed on.
    unsafe { run_blocks::<V>(&kernel, &Rows { weights: weights(Weighed::Target), ..*rows }, sink) }
}

/// The focal loss that a problem is, where the fast kernels solve it: see [`solve`].
#[cfg(feature = "analysis")]
pub(super) fn plain(problem: &Problem, soft: bool, unweighted: bool) -> Option<Focal> {
    let plan = plan(problem, soft, unweighted);
    plan.task.is_none().then_some(plan.focal)
}

/// The owner of the weights of the classes.
#[derive(Clone, Copy, PartialEq)]
enum Weighed {
    /// The terms of a row have them.
    Terms,
    /// The row has their mean.
    Mixture,
    /// The row has that of its target.
    Target,
}

/// The way to solve a problem.
struct Plan {
    /// The focal loss that it is, or is about.
    focal: Focal,
    /// The task of the kernel that can do all, or none where a faster one will do.
    task: Option<Task>,
    weighed: Weighed,
    /// True where a row with all of its probability in a single class is one with that target.
    single: bool,
}

/// The way to solve `problem` for targets that are probabilities if `soft`.
#[inline(always)]
fn plan(problem: &Problem, soft: bool, unweighted: bool) -> Plan {
    let (focal, task) = match *problem {
        Problem::Focal(focal) => (focal, Task::Mixture),
        Problem::CrossEntropy(label_smoothing) => {
            (Focal { label_smoothing, ..Focal::default() }, Task::Mixture)
        }
        Problem::Hessian { of, gauss_newton } => (of, Task::Hessian { gauss_newton }),
        Problem::GammaGrad(of) => (of, Task::GammaGrad(of.focus_on)),
    };
    let smoothed = focal.label_smoothing > 0.0;
    let is_cross_entropy = matches!(problem, Problem::CrossEntropy(_));
    // The weights of one term, or of equal ones, are also the row's.
    let by_row = !is_cross_entropy || !smoothed || unweighted;
    let task = match (task, focal.focus_on) {
        (Task::Mixture, FocusOn::Target) if smoothed && !soft => Task::FocusOnTarget,
        (Task::Mixture, FocusOn::EachClass) if smoothed || soft => Task::EachClass,
        (task, _) => task,
    };
    let (weighed, single) = match task {
        Task::EachClass => (Weighed::Terms, !smoothed),
        Task::Mixture if is_cross_entropy => (Weighed::Terms, by_row),
        Task::Mixture => (Weighed::Mixture, focal.is_plain(false)),
        _ => (Weighed::Target, false),
    };
    let fast = task == Task::Mixture && focal.is_plain(soft) && by_row;
    Plan { focal, task: (!fast).then_some(task), weighed, single }
}
