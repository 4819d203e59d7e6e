//! The problems that kernels solve for rows.

use crate::loss::focal::Focal;

/// The problem to be solved for rows.
#[derive(Clone, Copy, Debug)]
pub enum Problem {
    /// The focal loss.
    Focal(Focal),
    /// The cross-entropy, smoothed by so much. The weights of the classes are those of the terms of
    /// its sum.
    CrossEntropy(f64),
    /// In place of the gradient, the diagonal of the focal loss's Hessian, or of its Gauss-Newton
    /// approximation, which is never negative; for target classes.
    Hessian {
        /// The focal loss.
        of: Focal,
        /// True for the Gauss-Newton approximation.
        gauss_newton: bool,
    },
    /// In place of the values, the focal loss's derivatives with respect to γ; for target classes.
    GammaGrad(Focal),
}
