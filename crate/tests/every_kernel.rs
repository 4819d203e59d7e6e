//! A small call of every kernel, with every kind of tail: what Miri, which is some thousand times
//! slower than a processor, looks at for memory that is read before it is written, and for pointers
//! that are not valid any more.

use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, Float, FocalLoss, FocusOn, Gamma, GradOutput,
    HessianKind, PerColumn, Reduction, SigmoidFocalLoss,
};

/// Rows and classes: two classes; few, a row per lane; and many, along the row, with a rest. Rows
/// of few classes are a full group and a rest, of four lanes or of two.
const SHAPES: [(usize, usize); 3] = [(ROWS, 2), (ROWS, 3), (1, 67)];
/// The most rows.
const ROWS: usize = 5;

fn numbers<T: Float>(count: usize, from: f64, to: f64) -> Vec<T> {
    (0..count).map(|i| T::from_f64(from + (to - from) * (i * 37 % 101) as f64 / 101.0)).collect()
}

/// Probabilities for each row, most of them 0 in every other row.
fn probabilities<T: Float>(rows: usize, classes: usize) -> Vec<T> {
    let spread = 1.0 / classes as f64;
    let of =
        |i: usize, j: usize| if i.is_multiple_of(2) { spread } else { f64::from(u8::from(j == 1)) };
    (0..rows * classes).map(|k| T::from_f64(of(k / classes, k % classes))).collect()
}

/// The value of the whole is that of its rows, and so is the gradient.
fn agree<T: Float>(whole: f64, values: &[T], grad: &[T], of_rows: &[T]) {
    let sum: f64 = values.iter().map(|value| value.to_f64()).sum();
    assert!((whole - sum).abs() <= 1e-5 * sum.abs() && sum.is_finite(), "{whole} is not {sum}");
    assert!(grad.iter().zip(of_rows).all(|(a, b)| a.to_f64() == b.to_f64()));
    assert!(grad.iter().any(|entry| entry.to_f64() != 0.0));
}

/// Calls a loss on a batch in all its ways.
macro_rules! call {
    ($criterion:expr, $batch:expr) => {{
        let (criterion, batch) = ($criterion, $batch);
        let zeros = vec![Default::default(); batch.logits.len()];
        let (mut grad, mut of_rows) = (zeros.clone(), zeros);
        let mut values = vec![Default::default(); batch.rows()];
        let whole = criterion.value_and_grad(&batch, &mut grad).unwrap();
        criterion.rows(&batch, &mut values, Some(&mut of_rows)).unwrap();
        assert_eq!(criterion.forward(&batch).unwrap(), whole);
        agree(whole, &values, &grad, &of_rows);
    }};
}

fn softmax_losses<T: Float>(shapes: &[(usize, usize)]) {
    for &(rows, classes) in shapes {
        let logits = numbers::<T>(rows * classes, -4.0, 4.0);
        let targets: Vec<i32> = (0..rows).map(|i| ((i + i / 2 + 1) % classes) as i32).collect();
        let soft = probabilities::<T>(rows, classes);
        let (weights, each) = (numbers::<T>(classes, 0.5, 2.0), numbers::<T>(rows, 0.5, 2.0));
        let gammas: Vec<f64> = (0..classes).map(|j| j as f64 / 2.0).collect();
        let hard = Batch::new(&logits, &targets, classes);
        let weighted = Batch {
            sample_weights: Some(&each[..]),
            grad_output: GradOutput::Each(&each[..]),
            ..hard
        };
        let plain = FocalLoss { reduction: Reduction::Sum, ..FocalLoss::default() };
        for focus_on in [FocusOn::Smoothed, FocusOn::Target, FocusOn::EachClass] {
            call!(FocalLoss { focus_on, label_smoothing: 0.1, ..plain }, hard);
        }
        let powers = FocalLoss {
            alpha: Alpha::PerClass(&weights),
            gamma: Gamma::PerClass(&gammas),
            ..plain
        };
        call!(powers, weighted);
        call!(FocalLoss { gamma: Gamma::All(0.7), ignore_index: Some(0), ..plain }, hard);
        call!(plain, Batch::soft(&logits, &soft, classes));
        let cross_entropy = CrossEntropyLoss {
            weight: Some(&weights[..]),
            reduction: Reduction::Sum,
            ..CrossEntropyLoss::default()
        };
        call!(CrossEntropyLoss { label_smoothing: 0.1, ..cross_entropy }, weighted);
        call!(cross_entropy, Batch::soft(&logits, &soft, classes));
        let mut hessian = vec![T::default(); logits.len()];
        for kind in [HessianKind::Exact, HessianKind::GaussNewton] {
            plain.hessian_diag(&hard, kind, &mut hessian).unwrap();
            assert!(hessian.iter().all(|entry| entry.to_f64().is_finite()));
        }
        let mut values = vec![T::default(); rows];
        assert!(plain.gamma_grad(&hard, &mut values).unwrap() < 0.0);
    }
}

fn sigmoid<T: Float>() {
    for count in [3, 6, 9] {
        let (logits, targets) = (numbers::<T>(count, -4.0, 4.0), numbers::<T>(count, 0.0, 1.0));
        let each = numbers::<T>(count, 0.5, 2.0);
        let elements = Elements {
            columns: 3,
            sample_weights: Some(&each[..]),
            grad_output: GradOutput::Each(&each[..]),
            ..Elements::new(&logits, &targets)
        };
        let criterion = SigmoidFocalLoss {
            alpha: Some(PerColumn::Each(&[0.25, 0.5, 1.0])),
            pos_weight: PerColumn::Each(&[1.0, 2.0, 3.0]),
            label_smoothing: 0.1,
            reduction: Reduction::Sum,
            ..SigmoidFocalLoss::default()
        };
        let zeros = vec![T::default(); count];
        let (mut grad, mut of_elements, mut values) = (zeros.clone(), zeros.clone(), zeros);
        let whole = criterion.value_and_grad(&elements, &mut grad).unwrap();
        criterion.each(&elements, &mut values, Some(&mut of_elements)).unwrap();
        assert_eq!(criterion.forward(&elements).unwrap(), whole);
        agree(whole, &values, &grad, &of_elements);
    }
}

#[test]
fn softmax_losses_in_float32() {
    softmax_losses::<f32>(&SHAPES);
}

/// Mixtures of so many classes are computed row by row, some of the classes at a time.
#[test]
fn mixtures_of_many_classes() {
    let classes = 131;
    let (logits, soft) = (numbers::<f32>(classes, -4.0, 4.0), probabilities::<f32>(1, classes));
    let focal = FocalLoss { reduction: Reduction::Sum, ..FocalLoss::default() };
    call!(focal, Batch::soft(&logits, &soft, classes));
}

#[test]
fn softmax_losses_in_float64() {
    // The code is the same but for the lanes, and takes Miri a minute for each shape.
    softmax_losses::<f64>(&SHAPES[1..2]);
}

#[test]
fn sigmoid_in_both() {
    sigmoid::<f32>();
    sigmoid::<f64>();
}

/// The softmax of rows, which `focal-loss/analysis` has.
#[cfg(feature = "analysis")]
#[test]
fn softmax_in_both() {
    use focal_loss::kernels::{Wanted, softmax_output};

    fn softmax<T: Float>()
    where
        T::Vector: 'static,
    {
        for (rows, classes) in SHAPES {
            for wanted in [Wanted::Probabilities, Wanted::Logarithms, Wanted::Confidence] {
                let mut x = numbers::<T>(rows * classes, -4.0, 4.0);
                let (mut likeliest, mut values) = (vec![0; rows], vec![T::default(); rows]);
                let (x_at, values_at) = (x.as_mut_ptr(), values.as_mut_ptr());
                // SAFETY: so many rows.
                unsafe {
                    softmax_output::<T::Vector>(
                        x_at,
                        (rows, classes),
                        likeliest.as_mut_ptr(),
                        values_at,
                        wanted,
                    )
                };
                assert!(likeliest.iter().all(|&class| (0..classes as i32).contains(&class)));
                let sum: f64 = x[..classes].iter().map(|x| x.to_f64()).sum();
                assert!(!matches!(wanted, Wanted::Probabilities) || (sum - 1.0).abs() < 1e-6);
            }
        }
    }

    softmax::<f32>();
    softmax::<f64>();
}

#[cfg(feature = "analysis")]
#[test]
fn figures_in_both() {
    use core::ptr;

    use focal_loss::{
        kernels::{
            LossFigures, Problem, Rows, SoftmaxFigures, Weights, loss_figures, softmax_figures,
        },
        loss::{focal::Focal, focusing},
    };

    /// Room for whole vectors.
    const ROOM: usize = ROWS + 3;

    fn of_softmax<T: Float>(
        (rows, classes): (usize, usize),
        x: &[T],
        labels: &[i32],
        shares: *const T,
    ) {
        let (mut numbers, mut predicted) = ([[f64::NAN; ROOM]; 5], [-1; ROOM]);
        let mut scratch = vec![0.0; classes + 1];
        let [confidence, neg_log_confidence, cross_entropy, distance, score] =
            numbers.each_mut().map(|column| column.as_mut_ptr());
        let out = SoftmaxFigures {
            predicted: predicted.as_mut_ptr(),
            confidence,
            neg_log_confidence,
            cross_entropy,
            distance,
            score,
            scratch: scratch.as_mut_ptr(),
        };
        // SAFETY: so many rows, with room for whole vectors.
        unsafe { softmax_figures(x.as_ptr(), (rows, classes), labels.as_ptr(), shares, &out) };
        let [confidence, neg_log_confidence, cross_entropy, distance, _] = numbers;
        for i in 0..rows {
            assert!((0..classes as i32).contains(&predicted[i]));
            assert!(((-neg_log_confidence[i]).exp() / confidence[i] - 1.0).abs() < 1e-14);
            assert!(cross_entropy[i] > 0.0 && (0.0..=2.0).contains(&distance[i]));
        }
    }

    fn of_loss<T: Float>(
        (rows, classes): (usize, usize),
        x: &[T],
        targets: &[i32],
        problem: &Problem,
    ) where
        T::Vector: 'static,
    {
        let (mut numbers, mut integers) = ([[f64::NAN; ROOM]; 5], [[-1; ROOM]; 2]);
        let (mut lists, mut values) = ([[0; ROOM]; 3], vec![T::default(); ROOM]);
        let mut grad = vec![T::default(); rows * classes];
        let [confidence, loss, gradient, factor, weight] =
            numbers.each_mut().map(|column| column.as_mut_ptr());
        let [label, predicted] = integers.each_mut().map(|column| column.as_mut_ptr());
        let [number, sure, non_finite] = lists.each_mut().map(|column| column.as_mut_ptr());
        let out = LossFigures {
            label,
            predicted,
            confidence,
            loss,
            gradient,
            factor,
            weight,
            number,
            sure,
            non_finite,
        };
        let batch = Rows {
            logits: x.as_ptr(),
            targets: targets.as_ptr(),
            grad: grad.as_mut_ptr(),
            values: values.as_mut_ptr(),
            rows,
            classes,
            weights: Weights::pair(0.75, 0.25),
            row_weights: ptr::null(),
            scale: T::from_f64(1.0),
            row_scales: ptr::null(),
            ignored: None,
        };
        // SAFETY: so many rows, with room for whole vectors.
        let others = unsafe { loss_figures::<T::Vector>(&batch, ptr::null(), problem, &out) };
        assert_eq!(others, 0);
        let [confidence, loss, gradient, factor, weight] = numbers;
        for i in 0..rows {
            assert_eq!(integers[0][i], targets[i]);
            assert!(confidence[i] >= 1.0 / classes as f64 && confidence[i] <= 1.0);
            assert!((0.0..=1.0).contains(&factor[i]) && weight[i].is_finite());
            assert!(loss[i] > 0.0 && gradient[i].is_finite());
        }
    }

    fn figures<T: Float>()
    where
        T::Vector: 'static,
    {
        let focal = Focal { gamma: focusing::Gamma::All(2.0), ..Focal::default() };
        let target = Focal { label_smoothing: 0.1, focus_on: FocusOn::Target, ..focal };
        for shape in SHAPES {
            let (rows, classes) = shape;
            let x = numbers::<T>(rows * classes, -4.0, 4.0);
            let mut labels = [0; ROOM];
            labels.iter_mut().enumerate().for_each(|(i, label)| *label = (i % classes) as i32);
            of_softmax(shape, &x, &labels, ptr::null());
            of_softmax(shape, &x, &labels, probabilities::<T>(rows, classes).as_ptr());
            for problem in
                [Problem::Focal(focal), Problem::Focal(target), Problem::CrossEntropy(0.1)]
            {
                of_loss(shape, &x, &labels, &problem);
            }
        }
    }

    figures::<f32>();
    figures::<f64>();
}

#[cfg(feature = "analysis")]
#[test]
fn numbers_in_order() {
    use focal_loss::host::{abi::size::SORT_COUNTS, order};

    // More than are put in their places one by one.
    const COUNT: usize = 40;
    let keys = numbers::<f64>(COUNT, -4.0, 4.0);
    let with = |head: &[f64]| [head, &keys, &vec![0.0; 2 * COUNT + SORT_COUNTS]].concat();
    // SAFETY: the buffers have room for the numbers, as many more, and room to count.
    unsafe {
        let mut memory = with(&[]);
        order::sort_by(COUNT, COUNT, memory.as_mut_ptr());
        let mut memory = with(&[10.0, 30.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(order::rank(10, 30, memory.as_mut_ptr()), 1);
        let mut memory = with(&[0.0, 0.0]);
        let above = keys.iter().filter(|&&key| key > 0.0).count();
        assert_eq!(order::leave_above(COUNT, COUNT, memory.as_mut_ptr()), above);
    }
}
