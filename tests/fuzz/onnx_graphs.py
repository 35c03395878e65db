"""Random small ONNX graphs with free dims: shape arithmetic, If, Loop, NaN. One seed, one graph."""
import random

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import onnx_peer

DIMS = ("a", "b", "c")
TYPES = {"f": (TensorProto.FLOAT, np.float32), "i": (TensorProto.INT64, np.int64),
         "b": (TensorProto.BOOL, np.bool_)}
SMOOTH = ("Sigmoid", "Tanh", "Softplus", "Softsign", "Elu", "Celu", "Selu", "HardSigmoid", "Erf",
          "Cos", "Sin", "LeakyRelu", "HardSwish")
EXACT = ("Neg", "Abs", "Relu", "Identity")
STEPS = ("Floor", "Ceil", "Round", "Sign")  # a rounding error before them is a whole step after


class Value:
    """What a graph of the basis sizes holds there. `exact`: no rounding has happened on the way."""

    def __init__(self, name, kind, shape, exact=True, number=None):
        self.name, self.kind, self.shape = name, kind, tuple(shape)
        self.exact = exact
        self.number = number  # of size arithmetic: the integers, under the basis sizes

    @property
    def rank(self):
        return len(self.shape)


class Scope:
    """One graph in the making; what it does not find it takes from the outer one."""

    def __init__(self, gen, outer=None):
        self.gen, self.outer = gen, outer
        self.nodes, self.weights, self.values = [], [], []
        self.loose = []  # whose shape the basis does not tell: they go out, and no further

    def all(self):
        return self.values + (self.outer.all() if self.outer else [])

    def add(self, op, inputs, kind, shape, exact=True, number=None, **attributes):
        name = self.gen.name()
        if op in onnx_peer.EXTREMA and self.gen.has_nan:
            attributes["doc_string"] = onnx_peer.MAY_BE_NAN
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        value = Value(name, kind, shape, exact, number)
        self.values.append(value)
        return value

    def const(self, array):
        name = self.gen.name()
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *numbers):
        return self.const(np.array(numbers, np.int64))

    def pick(self, wanted):
        found = [v for v in self.all() if wanted(v)]
        # The newest are the deepest.
        return self.gen.rng.choice(found[-8:] if self.gen.rng.random() < 0.7 else found) \
            if found else None


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.count = 0
        self.has_nan = self.rng.random() < 0.3
        self.sizes = {d: self.rng.choice((1, 2, 3, 4, 5, 7)) for d in DIMS}

    def name(self):
        self.count += 1
        return f"v{self.count}"

    # Sizes: int64 scalars and lists that follow from dims.

    def size(self, scope):
        """A scalar of shape arithmetic."""
        rng = self.rng
        known = [v for v in scope.all() if v.kind == "i" and v.number is not None and v.shape == ()]
        if known and rng.random() < 0.5:
            return rng.choice(known)
        source = scope.pick(lambda v: v.kind == "f" and v.rank > 0)
        axis = rng.randrange(source.rank)
        if rng.random() < 0.15:
            return scope.add("Size", [source.name], "i", (), number=int(np.prod(source.shape)))
        shape = scope.add("Shape", [source.name], "i", (source.rank,), number=source.shape)
        return scope.add("Gather", [shape.name, scope.const(np.int64(axis))], "i", (),
                         number=source.shape[axis], axis=0)

    def arithmetic(self, scope, a=None):
        """A size, put through one integer op with a constant or another size."""
        rng = self.rng
        a = a or self.size(scope)
        op = rng.choice(("Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Where", "Neg", "Abs",
                         "Cast"))
        x = a.number
        if op in ("Neg", "Abs"):
            return scope.add(op, [a.name], "i", (), number=-x if op == "Neg" else abs(x))
        if op == "Cast":
            narrow = scope.add("Cast", [a.name], "n", (), to=TensorProto.INT32)
            return scope.add("Cast", [narrow.name], "i", (), number=x, to=TensorProto.INT64)
        if op == "Where":
            cond = self.comparison(scope)
            y = rng.randrange(1, 5)
            return scope.add("Where", [cond.name, a.name, scope.const(np.int64(y))], "i", (),
                             number=x if cond.number else y)
        divides = op in ("Div", "Mod")
        if not divides and rng.random() < 0.3:
            b = self.size(scope)
            name, y = b.name, b.number
        else:
            y = rng.choice((1, 2, 3, 4, 7, 8, 64) if divides else (0, 1, 2, 3, 5, 8))
            name = scope.const(np.int64(y))
        number = {"Add": x + y, "Sub": x - y, "Mul": x * y, "Min": min(x, y), "Max": max(x, y),
                  "Div": int(abs(x) // max(y, 1)) * (1 if x >= 0 else -1),
                  "Mod": x % y if divides else 0}[op]
        return scope.add(op, [a.name, name], "i", (), number=number)

    def any_size(self, scope):
        value = self.size(scope)
        while self.rng.random() < 0.45:
            value = self.arithmetic(scope, value)
        return value

    def small_size(self, scope, low=0, high=12, always=False):
        """An integer that shape arithmetic gives, cut to [low, high]: where it needs it at the
        basis sizes, or always."""
        value = self.any_size(scope)
        if always or not low <= value.number <= high:
            top = scope.add("Min", [value.name, scope.const(np.int64(high))], "i", (),
                            number=min(value.number, high))
            value = scope.add("Max", [top.name, scope.const(np.int64(low))], "i", (),
                              number=max(top.number, low))
        return value

    def as_list(self, scope, value):
        op = self.rng.choice(("Unsqueeze", "Reshape"))
        return scope.add(op, [value.name, scope.ints(0 if op == "Unsqueeze" else -1)], "i", (1,),
                         number=(value.number,)).name

    def comparison(self, scope):
        a = self.any_size(scope)
        op = self.rng.choice(("Equal", "Equal", "Less", "Greater", "LessOrEqual",
                              "GreaterOrEqual"))
        if self.rng.random() < 0.25:
            b = self.any_size(scope)
            name, y = b.name, b.number
        else:
            y = self.rng.choice((a.number, a.number, a.number + 1, 0, 1, 3, 224))
            name = scope.const(np.int64(y))
        holds = {"Equal": a.number == y, "Less": a.number < y, "Greater": a.number > y,
                 "LessOrEqual": a.number <= y, "GreaterOrEqual": a.number >= y}[op]
        return scope.add(op, [a.name, name], "b", (), number=holds)

    def condition(self, scope):
        rng = self.rng
        if rng.random() < 0.65:
            return self.comparison(scope)
        data = scope.pick(lambda v: v.kind == "f" and v.exact and np.prod(v.shape) > 0)
        if data is None:
            return self.comparison(scope)
        flat = scope.add("Reshape", [data.name, scope.ints(-1)], "f", (int(np.prod(data.shape)),))
        first = scope.add("Gather", [flat.name, scope.const(np.int64(0))], "f", (), axis=0)
        return scope.add("Greater", [first.name, scope.const(np.float32(0.5))], "b", ())

    # Tensors.

    def unary(self, scope):
        x = scope.pick(lambda v: v.kind == "f")
        op = self.rng.choice(SMOOTH + EXACT + (STEPS if x.exact else ()))
        scope.add(op, [x.name], "f", x.shape, x.exact and op not in SMOOTH)

    def binary(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f")
        same = [v for v in scope.all() if v.kind == "f" and broadcast(v.shape, x.shape) is not None]
        y = rng.choice(same)
        exact = x.exact and y.exact
        op = rng.choice(("Add", "Sub", "Mul", "Min", "Max", "Div", "Mean", "Sum"))
        shape = broadcast(x.shape, y.shape)
        if exact and rng.random() < 0.25:
            op = rng.choice(("Less", "Greater", "Equal", "GreaterOrEqual"))
            scope.add(op, [x.name, y.name], "b", shape)
            return
        scope.add(op, [x.name, y.name], "f", shape,
                  exact and op in ("Add", "Sub", "Mul", "Min", "Max", "Sum") and rng.random() < 0.8)

    def where(self, scope):
        x = scope.pick(lambda v: v.kind == "f")
        if x.exact:
            if self.rng.random() < 0.4:
                cond = scope.add("IsNaN", [x.name], "b", x.shape)
            else:
                cond = scope.add("Cast", [x.name], "b", x.shape, to=TensorProto.BOOL)
        else:
            cond = self.condition(scope)
        scope.add("Where", [cond.name, x.name, scope.const(np.float32(2.5))], "f",
                  broadcast(cond.shape, x.shape), x.exact)

    def transpose(self, scope):
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 1)
        if x is None:
            return
        perm = list(range(x.rank))
        self.rng.shuffle(perm)
        scope.add("Transpose", [x.name], "f", [x.shape[p] for p in perm], x.exact, perm=perm)

    def reshape(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 0)
        way = rng.randrange(3)
        shape = scope.add("Shape", [x.name], "i", (x.rank,), number=x.shape)
        if way == 0 and x.rank > 1:  # [.., last] kept, the rest in one
            last = scope.add("Slice", [shape.name, scope.ints(-1), scope.ints(2 ** 62)], "i", (1,),
                             number=x.shape[-1:])
            target = scope.add("Concat", [scope.ints(-1), last.name], "i", (2,), axis=0)
            out = (int(np.prod(x.shape[:-1])), x.shape[-1])
            if x.shape[-1] == 0:
                return
        elif way == 1:
            target = scope.add("Concat", [shape.name, scope.ints(1)], "i", (x.rank + 1,), axis=0)
            out = x.shape + (1,)
            if x.rank > 4:
                return
        else:
            target = scope.add("ReduceProd", [shape.name], "i", (1,), keepdims=1)
            out = (int(np.prod(x.shape)),)
        attributes = {"allowzero": 1} if rng.random() < 0.2 and way != 0 else {}
        scope.add("Reshape", [x.name, target.name], "f", out, x.exact, **attributes)

    def squeeze(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank < 5)
        if x is None:
            return
        ones = [i for i, d in enumerate(x.shape) if d == 1]
        if ones and rng.random() < 0.6:
            axis = rng.choice(ones)
            out = x.shape[:axis] + x.shape[axis + 1:]
            scope.add("Squeeze", [x.name, scope.ints(axis)], "f", out, x.exact)
        else:
            axis = rng.randrange(x.rank + 1)
            out = x.shape[:axis] + (1,) + x.shape[axis:]
            scope.add("Unsqueeze", [x.name, scope.ints(axis)], "f", out, x.exact)

    def slice(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 0)
        axis = rng.randrange(x.rank)
        step = rng.choice((1, 1, 1, 2, -1))
        ends = []
        for _ in range(2):
            if rng.random() < 0.5:
                number = rng.choice((0, 1, 2, -1, -2, 5, 2 ** 62, -2 ** 62))
                ends.append((scope.ints(number), number))
            else:
                value = self.any_size(scope)
                ends.append((self.as_list(scope, value), value.number))
        size = len(range(x.shape[axis])[ends[0][1]:ends[1][1]:step])
        out = x.shape[:axis] + (size,) + x.shape[axis + 1:]
        scope.add("Slice", [x.name, ends[0][0], ends[1][0], scope.ints(axis), scope.ints(step)],
                  "f", out, x.exact)

    def gather(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 0)
        axis = rng.randrange(x.rank)
        if x.shape[axis] == 0:
            return
        if rng.random() < 0.5:
            index = scope.ints(*[rng.randrange(-1, 1) for _ in range(rng.randrange(1, 4))])
            out = x.shape[:axis] + (len(numpy_helper.to_array(scope.weights[-1])),) + \
                x.shape[axis + 1:]
        else:
            shape = scope.add("Shape", [x.name], "i", (x.rank,), number=x.shape)
            size = scope.add("Gather", [shape.name, scope.const(np.int64(axis))], "i", (), axis=0,
                             number=x.shape[axis])
            index = scope.add("Sub", [size.name, scope.const(np.int64(1))], "i", (),
                              number=size.number - 1).name
            out = x.shape[:axis] + x.shape[axis + 1:]
        scope.add("Gather", [x.name, index], "f", out, x.exact, axis=axis)

    def concat(self, scope):
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 0)
        axis = self.rng.randrange(x.rank)
        fits = [v for v in scope.all() if v.kind == "f" and v.rank == x.rank and
                all(p == q for i, (p, q) in enumerate(zip(v.shape, x.shape)) if i != axis)]
        y = self.rng.choice(fits)
        total = x.shape[axis] + y.shape[axis]
        if total > 64:
            return
        out = x.shape[:axis] + (total,) + x.shape[axis + 1:]
        scope.add("Concat", [x.name, y.name], "f", out, x.exact and y.exact, axis=axis)

    def expand(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank < 4 and np.prod(v.shape) < 64)
        if x is None:
            return
        size = self.small_size(scope, 1, 4)
        if rng.random() < 0.5:
            repeats = scope.add("Concat", [self.as_list(scope, size)] + [scope.ints(1)] *
                                (x.rank - 1), "i", (max(x.rank, 1),), axis=0)
            if x.rank == 0:
                return
            out = (x.shape[0] * size.number,) + x.shape[1:]
            scope.add("Tile", [x.name, repeats.name], "f", out, x.exact)
        else:
            shape = scope.add("Shape", [x.name], "i", (x.rank,), number=x.shape)
            target = scope.add("Concat", [self.as_list(scope, size), shape.name], "i",
                               (x.rank + 1,), axis=0)
            # What exporters write: -1 stands for a dim that stays.
            minus = scope.add("Equal", [target.name, scope.ints(-1)], "b", (x.rank + 1,))
            target = scope.add("Where", [minus.name, scope.ints(1), target.name], "i",
                               (x.rank + 1,))
            scope.add("Expand", [x.name, target.name], "f", (size.number,) + x.shape, x.exact)

    def fill(self, scope):
        rng = self.rng
        size = self.small_size(scope, 0, 6)
        if rng.random() < 0.5:
            limit = scope.add("Range", [scope.const(np.int64(0)), size.name,
                                        scope.const(np.int64(1))], "i", (size.number,))
            scope.add("Cast", [limit.name], "f", limit.shape, to=TensorProto.FLOAT)
        else:
            value = helper.make_tensor("value", TensorProto.FLOAT, [1], [rng.choice((0.5, 1, -2))])
            scope.add("ConstantOfShape", [self.as_list(scope, size)], "f", (size.number,),
                      value=value)

    def reduce(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 0 and 0 not in v.shape)
        if x is None:
            return
        axis = rng.randrange(x.rank)
        keep = rng.randrange(2)
        out = x.shape[:axis] + ((1,) if keep else ()) + x.shape[axis + 1:]
        op = rng.choice(("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1",
                         "ReduceSumSquare", "ArgMax", "Softmax", "CumSum", "ReduceLogSumExp"))
        if op == "Softmax":
            scope.add(op, [x.name], "f", x.shape, False, axis=axis)
        elif op == "CumSum":
            scope.add(op, [x.name, scope.const(np.int64(axis))], "f", x.shape, False)
        elif op == "ArgMax":
            # Which index a NaN has is open; ties take the first.
            if x.exact and not self.has_nan:
                scope.add(op, [x.name], "i", out, axis=axis, keepdims=keep)
        else:
            scope.add(op, [x.name, scope.ints(axis)], "f", out,
                      x.exact and op in ("ReduceMax", "ReduceMin"), keepdims=keep)

    def product(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and v.rank > 1 and v.shape[-1] > 0)
        if x is None:
            return
        if rng.random() < 0.5:
            axes = list(range(x.rank))
            axes[-1], axes[-2] = axes[-2], axes[-1]
            other = scope.add("Transpose", [x.name], "f", x.shape[:-2] + x.shape[:-3:-1], x.exact,
                              perm=axes)
            columns = x.shape[-2]
        else:
            fits = [v for v in scope.all() if v.kind == "f" and v.rank == 2 and
                    v.shape[0] == x.shape[-1]]
            if not fits:
                return
            other = rng.choice(fits)
            columns = other.shape[1]
        scope.add("MatMul", [x.name, other.name], "f", x.shape[:-1] + (columns,), False)

    def nonzero(self, scope):
        x = scope.pick(lambda v: v.kind == "f" and v.exact and v.rank > 0)
        if x is None:
            return
        found = scope.add("NonZero", [x.name], "i", (x.rank, -1))
        turned = scope.add("Transpose", [found.name], "i", (-1, x.rank), perm=[1, 0])
        scope.values = [v for v in scope.values if v not in (found, turned)]
        some = scope.add("GatherND", [x.name, turned.name], "f", (-1,), x.exact)
        scope.values.remove(some)
        scope.add("ReduceSum", [some.name], "f", (1,), False, keepdims=1)

    def pad(self, scope):
        rng = self.rng
        x = scope.pick(lambda v: v.kind == "f" and 0 < v.rank < 4)
        if x is None:
            return
        size = self.small_size(scope, 0, 3)
        pads = scope.add("Concat", [scope.ints(*[0] * (x.rank - 1), 1), scope.ints(*[0] *
                                    (x.rank - 1)), self.as_list(scope, size)], "i", (2 * x.rank,),
                         axis=0) if x.rank > 1 else \
            scope.add("Concat", [scope.ints(1), self.as_list(scope, size)], "i", (2,), axis=0)
        out = x.shape[:-1] + (x.shape[-1] + 1 + size.number,)
        mode = rng.choice(("constant", "edge")) if 0 not in x.shape else "constant"
        scope.add("Pad", [x.name, pads.name], "f", out, x.exact, mode=mode)

    # Control flow.

    def branch(self, scope, depth, like):
        """A graph whose one output has the kind and, mostly, the rank of `like`."""
        inner = Scope(self, scope)
        self.grow(inner, self.rng.randrange(1, 4), depth + 1)
        fits = [v for v in inner.values if v.kind == "f" and v.rank == like.rank]
        if self.rng.random() < 0.1:
            fits = [v for v in inner.values if v.kind == "f"] or fits
        out = self.rng.choice(fits) if fits else like
        made = inner.add("Identity", [out.name], "f", out.shape, out.exact)
        return inner, made

    def choose(self, scope, depth):
        cond = self.condition(scope)
        like = scope.pick(lambda v: v.kind == "f")
        sides = [self.branch(scope, depth, like) for _ in range(2)]
        graphs = [finish(inner, "branch", [], [made], ()) for inner, made in sides]
        chosen = sides[0 if cond.number in (None, True) else 1][1]
        same = sides[0][1].rank == sides[1][1].rank
        out = scope.add("If", [cond.name], "f", chosen.shape,
                        sides[0][1].exact and sides[1][1].exact, then_branch=graphs[0],
                        else_branch=graphs[1])
        if cond.number is None or not same:
            # The shape is not sure under the basis sizes: it goes out, and no further.
            scope.values.remove(out)
            scope.loose.append(out)

    def loop(self, scope, depth):
        rng = self.rng
        carried = scope.pick(lambda v: v.kind == "f" and np.prod(v.shape) < 64)
        if carried is None:
            return
        trips = self.small_size(scope, rng.randrange(2), 4, always=True)
        inner = Scope(self, scope)
        i = Value(self.name(), "i", (), number=None)
        go = Value(self.name(), "b", ())
        x = Value(self.name(), "f", carried.shape, False)
        inner.values.append(x)
        self.grow(inner, rng.randrange(0, 3), depth + 1)
        if rng.random() < 0.3 and x.rank > 0 and x.shape[0] <= 4:
            nxt = inner.add("Concat", [x.name, x.name], "f", (2 * x.shape[0],) + x.shape[1:], False,
                            axis=0)
            shape = (x.shape[0] * 2 ** trips.number,) + x.shape[1:]
        else:
            step = inner.add("Cast", [i.name], "f", (), to=TensorProto.FLOAT)
            nxt = inner.add(rng.choice(("Add", "Sub", "Max")), [x.name, step.name], "f", x.shape,
                            False)
            shape = x.shape
        if rng.random() < 0.4:
            stop = inner.add("Less", [i.name, inner.const(np.int64(rng.randrange(0, 4)))], "b", ())
            sure = False
        else:
            stop = inner.add("Identity", [go.name], "b", ())
            sure = True
        if rng.random() < 0.3:
            scanned = inner.add("Cast", [i.name], "f", (), to=TensorProto.FLOAT)
        else:
            scanned = inner.add("Identity", [x.name], "f", x.shape)
        body = finish(inner, "body", [i, go, x], [stop, nxt, scanned], ())
        names = [self.name(), self.name()]
        scope.nodes.append(helper.make_node("Loop", [trips.name, "", carried.name], names,
                                            body=body))
        last = Value(names[0], "f", shape, False)
        if sure or shape == x.shape:
            scope.values.append(last)
        else:
            scope.loose.append(last)
        scope.loose.append(Value(names[1], "f", (), False))

    def grow(self, scope, steps, depth):
        ways = [self.unary, self.binary, self.where, self.transpose, self.reshape, self.squeeze,
                self.slice, self.gather, self.concat, self.expand, self.fill, self.reduce,
                self.product, self.pad]
        for _ in range(steps):
            if depth < 2 and self.rng.random() < 0.2:
                self.rng.choice((self.choose, self.choose, self.loop))(scope, depth)
            elif depth == 0 and self.rng.random() < 0.04:
                self.nonzero(scope)
            elif self.rng.random() < 0.1:
                self.arithmetic(scope)
            else:
                self.rng.choice(ways)(scope)
            # Nothing large: the graphs are many.
            scope.values = [v for v in scope.values if -1 in v.shape or np.prod(v.shape) < 4096]

    def graph(self):
        rng = self.rng
        scope = Scope(self)
        inputs, dims = [], []
        for _ in range(rng.randrange(1, 4)):
            rank = rng.choice((1, 1, 2, 2, 2, 3))
            named = [rng.choice(DIMS) if rng.random() < 0.75 else rng.choice((1, 2, 3, 4))
                     for _ in range(rank)]
            value = Value(self.name(), "f", [self.sizes.get(d, d) for d in named])
            inputs.append(value)
            dims.append(named)
            scope.values.append(value)
        self.grow(scope, rng.randrange(3, 14), 0)
        outputs = scope.loose[:4]
        last = [v for v in scope.values if v not in inputs and v.kind in TYPES]
        outputs += last[-4:] if last else [scope.add("Neg", [inputs[0].name], "f",
                                                     inputs[0].shape)]
        return finish(scope, "g", inputs, outputs, dims), inputs, dims

    def feeds(self, inputs, dims):
        """Inputs for the basis sizes, and for two other choices of sizes."""
        for turn in range(3):
            sizes = self.sizes if turn == 0 else \
                {d: self.rng.choice((1, 2, 3, 4, 5, 6, 8, 11, 0)[:9 if self.rng.random() < 0.1
                                                                 else 8]) for d in DIMS}
            feed = {}
            for value, named in zip(inputs, dims):
                shape = [sizes.get(d, d) for d in named]
                # Quarters: sums and products of a few are exact.
                array = np.array([self.rng.randrange(-12, 13) / 4 for _ in range(
                    int(np.prod(shape)))], np.float32).reshape(shape)
                if self.has_nan and array.size:
                    flat = array.reshape(-1)
                    for special in (np.nan, np.inf, -np.inf):
                        if self.rng.random() < 0.5:
                            flat[self.rng.randrange(flat.size)] = special
                feed[value.name] = array
            yield feed


def broadcast(a, b):
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def finish(scope, name, inputs, outputs, dims):
    def info(value, shape):
        return helper.make_tensor_value_info(value.name, TYPES[value.kind][0], shape)
    shapes = list(dims) or [None] * len(inputs)
    if name == "body":
        shapes = [[], [], None]
    ins = [info(v, s) for v, s in zip(inputs, shapes)]
    return helper.make_graph(scope.nodes, name, ins, [info(v, None) for v in outputs],
                             scope.weights)


def make(seed):
    """(ModelProto, [inputs by name, ...], whether they hold NaN)."""
    gen = Generator(seed)
    graph, inputs, dims = gen.graph()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return model, list(gen.feeds(inputs, dims)), gen.has_nan
