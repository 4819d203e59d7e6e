//! The crate built natively, as a contender of the benchmark. Answers a request per line of
//! standard input with a line of JSON: see `scripts/bench/contenders/child.ts`.

use std::{error::Error, fs, hint::black_box, io, time::Instant};

use focal_loss::{
    Alpha, Batch, CrossEntropyLoss, Elements, Float, FocalLoss, Gamma, SigmoidFocalLoss,
};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// Puts the gradient into the slice and returns the value.
type Compute<T> = Box<dyn FnMut(&mut [T]) -> Result<f64, focal_loss::Error>>;

/// The same, with a slice of its own.
type Call = Box<dyn FnMut() -> Result<f64, focal_loss::Error>>;

fn main() -> Result<(), Failure> {
    println!(
        "{}",
        json!({ "about": "the crate built natively, 128-bit vectors; slices in and out, no copies" })
    );
    let mut call: Option<Call> = None;
    for line in io::stdin().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = answer(&request, &mut call)
            .unwrap_or_else(|failure| json!({ "error": failure.to_string() }));
        println!("{answer}");
    }
    Ok(())
}

fn answer(request: &Value, call: &mut Option<Call>) -> Result<Value, Failure> {
    if let Some(calls) = request["time"].as_u64() {
        let call = call.as_mut().ok_or("nothing is prepared")?;
        let start = Instant::now();
        for _ in 0..calls {
            black_box(call()?);
        }
        return Ok(json!({ "seconds": start.elapsed().as_secs_f64() }));
    }
    let workload = &request["prepare"];
    let (value, ready) = if workload["dtype"] == "float64" {
        prepare(workload, f64::from_le_bytes, f64::to_le_bytes)
    } else {
        prepare(workload, f32::from_le_bytes, f32::to_le_bytes)
    }?;
    *call = Some(ready);
    Ok(json!({ "value": value }))
}

/// The call, and the value that it gave when its gradient was written for the others to see.
fn prepare<T: Float + 'static, const BYTES: usize>(
    workload: &Value,
    from_bytes: fn([u8; BYTES]) -> T,
    to_bytes: fn(T) -> [u8; BYTES],
) -> Result<(f64, Call), Failure> {
    let logits = read(text(workload, "logits")?, from_bytes)?;
    let classes = usize::try_from(workload["classes"].as_u64().ok_or("no classes")?)?;
    let with_gradient = workload["gradient"] == true;
    let loss = &workload["loss"];
    let number = |name: &str| loss[name].as_f64().ok_or_else(|| format!("no {name}"));

    let mut compute: Compute<T> = match text(loss, "kind")? {
        "focal" => {
            let criterion = FocalLoss {
                alpha: Alpha::Positive(number("alpha")?),
                gamma: Gamma::All(number("gamma")?),
                label_smoothing: number("labelSmoothing")?,
                ..FocalLoss::default()
            };
            let targets = read(text(workload, "targets")?, i32::from_le_bytes)?;
            Box::new(move |grad| {
                let batch = Batch::new(&logits, &targets, classes);
                if with_gradient {
                    criterion.value_and_grad(&batch, grad)
                } else {
                    criterion.forward(&batch)
                }
            })
        }
        "soft-focal" => {
            let criterion = FocalLoss {
                alpha: Alpha::None,
                gamma: Gamma::All(number("gamma")?),
                ..FocalLoss::default()
            };
            let targets = read(text(workload, "targets")?, from_bytes)?;
            Box::new(move |grad| {
                let batch = Batch::soft(&logits, &targets, classes);
                if with_gradient {
                    criterion.value_and_grad(&batch, grad)
                } else {
                    criterion.forward(&batch)
                }
            })
        }
        "cross-entropy" => {
            let targets = read(text(workload, "targets")?, i32::from_le_bytes)?;
            Box::new(move |grad| {
                let (criterion, batch) =
                    (CrossEntropyLoss::default(), Batch::new(&logits, &targets, classes));
                if with_gradient {
                    criterion.value_and_grad(&batch, grad)
                } else {
                    criterion.forward(&batch)
                }
            })
        }
        "sigmoid-focal" => {
            let (alpha, gamma) = (number("alpha")?, number("gamma")?);
            let targets = read(text(workload, "targets")?, from_bytes)?;
            Box::new(move |grad| {
                let alpha = Some(focal_loss::PerColumn::All(alpha));
                let criterion = SigmoidFocalLoss { alpha, gamma, ..SigmoidFocalLoss::default() };
                let elements = Elements::new(&logits, &targets);
                if with_gradient {
                    criterion.value_and_grad(&elements, grad)
                } else {
                    criterion.forward(&elements)
                }
            })
        }
        other => return Err(format!("unknown loss {other}").into()),
    };

    let mut grad = read(text(workload, "logits")?, from_bytes)?;
    let value = compute(&mut grad)?;
    if with_gradient {
        fs::write(
            text(workload, "grad")?,
            grad.iter().flat_map(|&entry| to_bytes(entry)).collect::<Vec<u8>>(),
        )?;
    }
    Ok((value, Box::new(move || compute(black_box(&mut grad)))))
}

fn read<T, const BYTES: usize>(
    path: &str,
    from_bytes: fn([u8; BYTES]) -> T,
) -> Result<Vec<T>, Failure> {
    let bytes = fs::read(path)?;
    Ok(bytes
        .chunks_exact(BYTES)
        .map(|chunk| from_bytes(chunk.try_into().expect("of this length")))
        .collect())
}

fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, Failure> {
    object[name].as_str().ok_or_else(|| format!("no {name}").into())
}
