"""The focal loss and its gradient in Python, from the WebAssembly module alone.

    pip install wasmtime==50.0.1
    python main.py FILE

FILE is `focal-loss.wasm` of the npm package. `docs/abi.md` says what the functions and numbers are.
"""

import struct
import sys

from wasmtime import Engine, Instance, Memory, Module, Store

# Areas of the tile, and the places of the numbers that a loss is made of.
LOGITS, TARGETS, NUMBERS, TOTALS = 0, 3, 10, 11
GAMMA, ALPHA_OTHER, ALPHA_ONE, POSITIVE_WEIGHT = 0, 2, 3, 4
UPSTREAM, DENOMINATOR, COUNT = 9, 10, 11

PAGE = 65536


class FocalLoss:
    """The mean focal loss of rows of float32 logits, with the weight of class 1."""

    def __init__(self, path, alpha=0.25, gamma=2.0):
        self.store = Store(Engine())
        module = Module.from_file(self.store.engine, path)
        self.exports = Instance(self.store, module, []).exports(self.store)
        self.memory: Memory = self.exports["memory"]
        # All memory behind that which the module starts with is the host's.
        self.free = self.memory.data_len(self.store)
        self.alpha, self.gamma = alpha, gamma

    def call(self, name, *arguments):
        return self.exports[name](self.store, *arguments)

    def write(self, address, form, numbers):
        data = struct.pack(f"<{len(numbers)}{form}", *numbers)
        self.memory.write(self.store, data, address)

    def read(self, address, form, count):
        size = struct.calcsize(form) * count
        return struct.unpack(f"<{count}{form}", self.memory.read(self.store, address, address + size))

    def value_and_grad(self, logits, targets):
        rows, classes = len(logits), len(logits[0])
        size = self.call("tile_bytes", 4, classes, 0, 0)
        missing = self.free + size - self.memory.data_len(self.store)
        if missing > 0:
            self.call("grow", -(-missing // PAGE))
        if rows > self.call("lay_out", self.free, 4, classes, 0, 0):
            raise ValueError("more rows than the tile holds: take them in parts")
        where = {area: self.call("area_address", area) for area in (LOGITS, TARGETS, NUMBERS, TOTALS)}

        numbers = [0.0] * COUNT
        numbers[GAMMA] = self.gamma
        numbers[ALPHA_OTHER], numbers[ALPHA_ONE] = 1 - self.alpha, self.alpha
        numbers[POSITIVE_WEIGHT] = numbers[UPSTREAM] = 1.0
        numbers[DENOMINATOR] = rows
        self.write(where[NUMBERS], "d", numbers)
        self.write(where[LOGITS], "f", [x for row in logits for x in row])
        self.write(where[TARGETS], "i", targets)
        # The gradient takes the place of the logits. No flags: float32, class indices, the focal loss.
        wrong = self.call("solve", where[LOGITS], where[TARGETS], where[LOGITS], rows, classes, 0)
        if wrong != -1:
            raise ValueError(f"the target of row {wrong} is not a class: {targets[wrong]}")
        total = self.read(where[TOTALS], "d", 1)[0]
        return total / rows, self.read(where[LOGITS], "f", rows * classes)


criterion = FocalLoss(sys.argv[1])
value, grad = criterion.value_and_grad([[2.5, -1.0], [0.5, 0.5], [-1.0, 2.0]], [0, 1, 1])
print(f"{value:.9f}", " ".join(f"{g:.9f}" for g in grad))
