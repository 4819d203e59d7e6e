"""PyTorch, JAX and scikit-learn for the benchmark: python peers.py torch|torch.compile|jax|jax-optax|scikit-learn one|all

They compute with one thread, or with as many as they take by themselves.

Answers a request per line of stdin with a line of JSON (see scripts/bench/contenders/child.ts). The data are in
tensors of the framework before anything is timed, and the gradient stays in one.
"""

import json
import sys
import time

import numpy as np


def read(workload):
    shape = workload["rows"], workload["classes"]
    logits = np.fromfile(workload["logits"], workload["dtype"]).reshape(shape)
    if workload["loss"]["kind"] in ("sigmoid-focal", "soft-focal"):
        return logits, np.fromfile(workload["targets"], workload["dtype"]).reshape(shape)
    return logits, np.fromfile(workload["targets"], "int32")


# JAX and NumPy are told by the environment.
THREADS = sys.argv[2]
THREADS_SAID = {"one": "one thread", "all": "its own choice of threads"}[THREADS]


class Torch:
    def __init__(self, compiled):
        import torch

        if THREADS == "one":
            torch.set_num_threads(1)
        self.torch = torch
        self.compiled = compiled
        self.about = f"PyTorch {torch.__version__.split('+')[0]}, {'torch.compile' if compiled else 'eager'}, {THREADS_SAID}"

    def loss(self, kind, alpha=None, gamma=None, labelSmoothing=0.0):
        torch, functional = self.torch, self.torch.nn.functional

        def cross_entropy(x, target):
            return functional.cross_entropy(x, target)

        def focal(x, target):
            ce = functional.cross_entropy(x, target, reduction="none", label_smoothing=labelSmoothing)
            weight = torch.where(target == 1, alpha, 1 - alpha)
            return (weight * (1 - torch.exp(-ce)) ** gamma * ce).mean()

        def soft_focal(x, target):
            ce = functional.cross_entropy(x, target, reduction="none")
            return ((1 - torch.exp(-ce)) ** gamma * ce).mean()

        # torchvision.ops.sigmoid_focal_loss
        def sigmoid_focal(x, target):
            p = torch.sigmoid(x)
            ce = functional.binary_cross_entropy_with_logits(x, target, reduction="none")
            p_t = p * target + (1 - p) * (1 - target)
            alpha_t = alpha * target + (1 - alpha) * (1 - target)
            return (alpha_t * ce * (1 - p_t) ** gamma).mean()

        return {
            "focal": focal,
            "soft-focal": soft_focal,
            "sigmoid-focal": sigmoid_focal,
            "cross-entropy": cross_entropy,
        }[kind]

    def prepare(self, workload):
        torch = self.torch
        logits, targets = map(torch.from_numpy, read(workload))
        # Indices are 64 bits wide in PyTorch.
        targets = targets.long() if targets.dtype == torch.int32 else targets
        loss = self.loss(**workload["loss"])
        if self.compiled:
            torch._dynamo.reset()
            loss = torch.compile(loss, dynamic=False)
        logits.requires_grad_(workload["gradient"])

        def call():
            logits.grad = None
            value = loss(logits, targets)
            if workload["gradient"]:
                value.backward()
            return value

        return call, lambda value: (value.item(), logits.grad.numpy() if workload["gradient"] else None)


class Jax:
    def __init__(self, fused):
        import jax

        self.jax = jax
        self.fused = fused
        form = "logsumexp, as Optax has it" if fused else "log_softmax"
        self.about = f"JAX {jax.__version__}, jit(value_and_grad) of a loss on {form}, {THREADS_SAID}"

    def loss(self, kind, alpha=None, gamma=None, labelSmoothing=0.0):
        jax, jnp = self.jax, self.jax.numpy

        def composed(x, target):
            log_p = jax.nn.log_softmax(x)
            ce = -jnp.take_along_axis(log_p, target[:, None], 1)[:, 0]
            return (1 - labelSmoothing) * ce - labelSmoothing * log_p.mean(1) if labelSmoothing > 0 else ce

        # Without an array of logarithms, as Optax' softmax_cross_entropy_with_integer_labels has it.
        def fused(x, target):
            towards = jnp.take_along_axis(x, target[:, None], 1)[:, 0]
            if labelSmoothing > 0:
                towards = (1 - labelSmoothing) * towards + labelSmoothing * x.mean(1)
            return jax.nn.logsumexp(x, 1) - towards

        rows = fused if self.fused else composed

        def cross_entropy(x, target):
            return rows(x, target).mean()

        def focal(x, target):
            ce = rows(x, target)
            weight = jnp.where(target == 1, alpha, 1 - alpha)
            return (weight * (1 - jnp.exp(-ce)) ** gamma * ce).mean()

        def soft_focal(x, target):
            if self.fused:
                ce = jax.nn.logsumexp(x, 1) - (x * target).sum(1)
            else:
                ce = -(target * jax.nn.log_softmax(x)).sum(1)
            return ((1 - jnp.exp(-ce)) ** gamma * ce).mean()

        def sigmoid_focal(x, target):
            p = jax.nn.sigmoid(x)
            ce = jax.nn.softplus(x) - x * target
            p_t = p * target + (1 - p) * (1 - target)
            alpha_t = alpha * target + (1 - alpha) * (1 - target)
            return (alpha_t * ce * (1 - p_t) ** gamma).mean()

        return {
            "focal": focal,
            "soft-focal": soft_focal,
            "sigmoid-focal": sigmoid_focal,
            "cross-entropy": cross_entropy,
        }[kind]

    def prepare(self, workload):
        jax = self.jax
        jax.config.update("jax_enable_x64", workload["dtype"] == "float64")
        logits, targets = map(jax.numpy.asarray, read(workload))
        loss = self.loss(**workload["loss"])
        run = jax.jit(jax.value_and_grad(loss) if workload["gradient"] else loss)

        def call():
            return jax.block_until_ready(run(logits, targets))

        def outcome(result):
            value, grad = result if workload["gradient"] else (result, None)
            return value.item(), None if grad is None else np.asarray(grad)

        return call, outcome


class ScikitLearn:
    """The figures of a classification report, of two classes."""

    def __init__(self):
        import sklearn

        self.about = f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}, {THREADS_SAID}"

    def prepare(self, workload):
        from sklearn import metrics

        logits, targets = read(workload)
        odds = logits[:, 1].astype("float64") - logits[:, 0]
        likely = 1 / (1 + np.exp(-odds))
        edges = np.linspace(0, 1, 16)

        def report(target, p):
            predicted = (p > 0.5).astype("int32")
            pair = np.stack([1 - p, p], 1)
            confidence = np.maximum(p, 1 - p)
            bins = np.clip(np.digitize(confidence, edges, right=True) - 1, 0, 14)
            counts = np.bincount(bins, minlength=15)
            gaps = np.bincount(bins, confidence - (predicted == target), 15)
            precision, recall, f1, support = metrics.precision_recall_fscore_support(target, predicted, zero_division=0)
            return {
                "accuracy": metrics.accuracy_score(target, predicted),
                "balanced": metrics.balanced_accuracy_score(target, predicted),
                "scores": (precision, recall, f1, support),
                "averages": [
                    metrics.precision_recall_fscore_support(target, predicted, average=average, zero_division=0)
                    for average in ("macro", "weighted", "micro")
                ],
                "mcc": metrics.matthews_corrcoef(target, predicted),
                "kappa": metrics.cohen_kappa_score(target, predicted),
                "confusion": metrics.confusion_matrix(target, predicted),
                "auc": metrics.roc_auc_score(target, p),
                "precision": metrics.average_precision_score(target, p),
                "logLoss": metrics.log_loss(target, pair),
                "brier": metrics.brier_score_loss(target, p),
                "calibration": (np.abs(gaps).sum() / counts.sum(), gaps / np.maximum(counts, 1)),
            }

        repeats = workload["repeats"]
        random = np.random.default_rng(0)

        def call():
            found = report(targets, likely)
            for _ in range(repeats):
                drawn = np.concatenate([random.choice(own, len(own)) for own in classes])
                report(targets[drawn], likely[drawn])
            return found

        classes = [np.flatnonzero(targets == j) for j in (0, 1)]
        return call, lambda found: (found["auc"], None)


PEERS = {
    "scikit-learn": ScikitLearn,
    "torch": lambda: Torch(compiled=False),
    "torch.compile": lambda: Torch(compiled=True),
    "jax": lambda: Jax(fused=False),
    "jax-optax": lambda: Jax(fused=True),
}


def main(framework):
    peer = PEERS[framework]()
    answer({"about": f"{peer.about}; its own tensors in and out, no copies"})
    call = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                workload = request["prepare"]
                call, outcome = peer.prepare(workload)
                value, grad = outcome(call())
                if grad is not None:
                    grad.tofile(workload["grad"])
                answer({"value": value})
            else:
                start = time.perf_counter()
                for _ in range(request["time"]):
                    call()
                answer({"seconds": time.perf_counter() - start})
        except Exception as error:
            answer({"error": str(error)})


def answer(message):
    print(json.dumps(message), flush=True)


main(sys.argv[1])
