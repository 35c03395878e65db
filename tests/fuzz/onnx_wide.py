"""Random small ONNX graphs of all ops, types and op-sets 7 to 24. One seed, one graph.

Every node is run on onnxruntime as it is added: what that refuses is left out, and so shapes, types
and values of all that is in the graph are known. `Scope.emit` keeps, for ops that the peer lacks or
answers otherwise than the definition, what stands in for them there (onnx_peer.py).
"""
import random

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import onnx_layers
import onnx_ops
import onnx_peer

DIMS = ("a", "b", "c")
WAYS = onnx_ops.WAYS + onnx_layers.WAYS
ELEMENTS_MAX = 4096
MAGNITUDE_MAX = 1e4
SCANS_FROM = 40000


class Value:
    """What a graph of the basis sizes holds there. `exact`: the same however it is computed."""

    def __init__(self, name, array, exact):
        self.name, self.array, self.exact = name, array, exact


class Scope:
    """One graph in the making; what it does not find it takes from the outer one."""

    def __init__(self, gen, outer=None):
        self.gen, self.outer, self.rng, self.opset = gen, outer, gen.rng, gen.opset
        self.nodes, self.weights, self.values, self.inputs = [], [], [], []
        self.known = {}  # arrays by name, constants too

    def all(self):
        return self.values + (self.outer.all() if self.outer else [])

    def array(self, name):
        return self.known[name] if name in self.known else self.outer.array(name)

    def pick(self, wanted):
        found = [v for v in self.all() if wanted(v)]
        # The newest are the deepest.
        return self.rng.choice(found[-8:] if self.rng.random() < 0.6 else found) if found else None

    def const(self, array, as_input=False):
        array = np.asarray(array)
        value = Value(self.gen.name(), array, True)
        self.known[value.name] = array
        if as_input and self.outer is None:
            self.inputs.append((value, list(array.shape)))
            self.values.append(value)
        elif self.rng.random() < 0.2:
            self.nodes.append(helper.make_node("Constant", [], [value.name],
                                               value=numpy_helper.from_array(array)))
        else:
            self.weights.append(numpy_helper.from_array(array, value.name))
        return value

    def emit(self, op, inputs, exact, outputs=1, hidden=False, loose=False, **attributes):
        """Adds a node if the peer runs it; its values, or None. `exact` "short": where the results
        are short enough to be exact. hidden: a means, not to be picked; loose: its shape depends on
        data, it goes out of the graph."""
        names = [self.gen.name() for _ in range(outputs)]
        if op in onnx_peer.EXTREMA and self.gen.has_nan and onnx_ops.is_float(inputs[0]):
            if self.opset < onnx_peer.OPSET_MIN:
                return None
            attributes["doc_string"] = onnx_peer.MAY_BE_NAN
        node = helper.make_node(op, ["" if v is None else v.name for v in inputs], names,
                                **attributes)
        feed = {v.name: v.array for v in inputs if v is not None}
        arrays = self.gen.run(node, feed)
        if arrays is None and onnx_peer.widen(node, [v and v.array for v in inputs], self.opset):
            arrays = self.gen.run(node, feed)
        if arrays is None:
            return None
        return self.append(node, arrays, exact, hidden, loose)

    def append(self, node, arrays, exact, hidden=False, loose=False):
        for array in arrays:
            with np.errstate(all="ignore"):
                finite = np.abs(array[np.isfinite(array)].astype(np.float64)) \
                    if array.dtype.kind == "f" else np.zeros(0)
            if array.size > ELEMENTS_MAX or finite.max(initial=0) > MAGNITUDE_MAX:
                return None
        self.nodes.append(node)
        out = []
        for name, array in zip(node.output, arrays):
            value = Value(name, array, is_short(array) if exact == "short" else bool(exact))
            self.known[name] = array
            out.append(value)
            if loose and self.outer is None:
                self.gen.loose.append(value)
            elif not hidden and not loose:
                self.values.append(value)
        return out

    def clip(self, x, low, high):
        """x within limits, by ops that all op-sets have."""
        if self.opset < 11:
            out = self.emit("Clip", [x], x.exact, hidden=True, min=float(low), max=float(high))
        else:
            kind = x.array.dtype
            out = self.emit("Clip", [x, self.const(np.array(low, kind)),
                                     self.const(np.array(high, kind))], x.exact, hidden=True)
        return out[0] if out else None

    def slice(self, x, starts, ends, axes, steps=None, kind=np.int64, hidden=True):
        if self.opset < 10:
            return self.emit("Slice", [x], x.exact, hidden=hidden, starts=starts, ends=ends,
                             axes=axes)
        lists = [starts, ends, axes] + ([steps] if steps else [])
        return self.emit("Slice", [x] + [self.const(np.array(n, kind)) for n in lists], x.exact,
                         hidden=hidden)


def is_short(array):
    """Whether the numbers have so few bits that a few sums and products of them are exact."""
    if array.dtype.kind != "f":
        return True
    wide = array[np.isfinite(array)].astype(np.float64)
    bits, most = (16, 64) if array.dtype == np.float16 else (256, 1024)
    return bool((np.abs(wide) <= most).all() and (wide * bits == np.floor(wide * bits)).all())


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.count = 0
        self.opset = self.rng.choice(tuple(range(7, 22)) + (13, 17, 18, 21, 22, 23, 24))
        self.has_nan = self.rng.random() < 0.25
        self.has_extremes = self.rng.random() < 0.15  # of integer types
        # Graphs of lower numbers stay as they were.
        self.has_scans = seed >= SCANS_FROM and self.opset >= 9
        self.sizes = {d: self.rng.choice((1, 2, 3, 4, 5, 7)) for d in DIMS}
        self.loose = []
        self.options = onnxruntime.SessionOptions()
        self.options.log_severity_level = 4
        self.options.intra_op_num_threads = self.options.inter_op_num_threads = 1
        self.options.graph_optimization_level = \
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def data(self, dtype, shape):
        """Numbers whose sums and products are exact for a while; of integers a few extremes."""
        rng, dtype = self.rng, np.dtype(dtype)
        count = int(np.prod(shape))
        if dtype.kind == "b":
            numbers = [rng.random() < 0.5 for _ in range(count)]
        elif dtype.kind == "f":
            numbers = [rng.randrange(-12, 13) / 4 for _ in range(count)]
        else:
            low = 0 if dtype.kind == "u" else -6
            numbers = [rng.randrange(low, 13) for _ in range(count)]
            if count and self.has_extremes and rng.random() < 0.3:
                numbers[rng.randrange(count)] = rng.choice((np.iinfo(dtype).min,
                                                            np.iinfo(dtype).max))
        return np.array(numbers, dtype).reshape(shape)

    def with_specials(self, array):
        if self.has_nan and array.size and array.dtype.kind == "f":
            flat = array.reshape(-1)
            for special in (np.nan, np.inf, -np.inf):
                if self.rng.random() < 0.5:
                    flat[self.rng.randrange(flat.size)] = special
        return array

    def run(self, node, feed):
        """What the peer makes of one node; None where it refuses."""
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info(k, onnx_ops.ONNX[v.dtype], v.shape)
                          if v.dtype in onnx_ops.ONNX else None for k, v in feed.items()],
            [helper.make_empty_tensor_value_info(name) for name in node.output])
        model = onnx_peer.stand_in(self.model(graph))
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), self.options,
                                                   providers=["CPUExecutionProvider"])
            arrays = [np.asarray(a) for a in session.run(None, feed)]
        except Exception:
            return None
        return arrays if all(a.dtype in onnx_ops.ONNX for a in arrays) else None

    def model(self, graph):
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8 if self.opset < 19 else 10
        return model

    # Control flow.

    def choose(self, scope, depth):
        """An If whose branches have one type, and often other shapes and ranks."""
        cond = scope.pick(lambda v: v.array.dtype == np.bool_ and v.array.shape == () and v.exact)
        if cond is None:
            some = scope.pick(lambda v: v.array.dtype == np.bool_ and v.array.size and v.exact)
            if some is None:
                return
            flat = scope.emit("Reshape", [some, scope.const(np.array([-1], np.int64))], True,
                              hidden=True)
            cond = flat and scope.emit("Gather", [flat[0], scope.const(np.int64(0))], True,
                                       hidden=True)
            if not cond:
                return
            cond = cond[0]
        like = scope.pick(onnx_ops.any_value)
        sides = []
        for _ in range(2):
            inner = Scope(self, scope)
            self.grow(inner, self.rng.randrange(0, 4), depth + 1)
            fits = [v for v in inner.values if v.array.dtype == like.array.dtype]
            same = [v for v in fits if v.array.ndim == like.array.ndim]
            out = self.rng.choice(same if same and self.rng.random() < 0.7 else fits or [like])
            made = inner.emit("Identity", [out], out.exact)
            if made is None:
                return
            sides.append((inner, made[0]))
        node = helper.make_node("If", [cond.name], [self.name()], **{
            key: graph_of(inner, key, [], [made])
            for key, (inner, made) in zip(("then_branch", "else_branch"), sides)})
        taken = sides[0 if bool(cond.array) else 1][1]
        alike = sides[0][1].array.shape == sides[1][1].array.shape
        scope.append(node, [taken.array], sides[0][1].exact and sides[1][1].exact,
                     loose=not alike and self.rng.random() < 0.5)

    def loop(self, scope, depth):
        """A Loop of a known or a counted number of trips, some of none, with and without a
        condition, carried values and scan outputs."""
        rng = self.rng
        carried = [v for v in (scope.pick(lambda v: v.array.size < 64) for _ in range(
            rng.randrange(0, 3))) if v is not None]
        trips = scope.pick(lambda v: v.array.dtype == np.int64 and v.array.size == 1 and
                           v.array.ndim == 0 and v.exact and -2 <= v.array <= 5)
        sure = False
        if trips is None or rng.random() < 0.6:
            trips, sure = scope.const(np.int64(rng.choice((0, 0, 1, 2, 3, 4)))), True
        first = None
        if rng.random() < 0.3:
            first = scope.const(np.array(rng.random() < 0.8))
        inner = Scope(self, scope)
        counter = Value(self.name(), np.int64(0).reshape(()), True)
        going = Value(self.name(), np.array(True), True)
        ports = [Value(self.name(), v.array, False) for v in carried]
        for v in [counter, going] + ports:
            inner.values.append(v)
            inner.known[v.name] = v.array
        self.grow(inner, rng.randrange(0, 4), depth + 1)
        nexts = [self.next_of(inner, port) for port in ports]
        if rng.random() < 0.35 and self.opset >= 9:
            stop = inner.emit("Less", [counter, inner.const(np.int64(rng.randrange(0, 4)))], True)
        else:
            stop = inner.emit("Identity", [going], True)
        scanned = [inner.emit("Identity", [v], v.exact, hidden=True) for v in (
            inner.pick(onnx_ops.any_value) for _ in range(rng.randrange(0, 3))) if v is not None]
        if not stop or None in nexts or None in scanned or not carried + scanned:
            return
        scanned = [v[0] for v in scanned]
        body = graph_of(inner, "body", [counter, going] + ports, stop[:1] + nexts + scanned,
                        shapes=[[], []] + [None] * len(ports))
        node = helper.make_node(
            "Loop", [trips.name, first.name if first else ""] + [v.name for v in carried],
            [self.name() for _ in nexts + scanned], body=body)
        feed = {name: scope.array(name) for name in outer_names(node)}
        arrays = self.run(node, feed)
        if arrays is None:
            return
        # Without one trip the dims of a scan output are open, so that nothing else may read it.
        made = scope.append(node, arrays, False, hidden=True)
        sure = sure and first is None and trips.array > 0
        for i, value in enumerate(made or ()):
            if i < len(nexts) or sure:
                scope.values.append(value)
            elif scope.outer is None:
                self.loose.append(value)

    def scan(self, scope, depth):
        """A Scan over one or two values along any axis, forward and backward, with carried values
        and outputs stacked along any axis."""
        rng = self.rng
        first = scope.pick(lambda v: v.array.ndim and v.array.size < 64)
        if first is None:
            return
        axes = [rng.randrange(first.array.ndim)]
        trips = first.array.shape[axes[0]]
        scanned = [first]
        other = scope.pick(lambda v: trips in v.array.shape and v.array.size < 64)
        if other is not None and rng.random() < 0.5:
            scanned.append(other)
            axes.append(other.array.shape.index(trips))
        carried = [v for v in (scope.pick(lambda v: v.array.size < 64) for _ in range(
            rng.randrange(0, 3))) if v is not None]
        inner = Scope(self, scope)
        states = [Value(self.name(), v.array, False) for v in carried]
        slices = [Value(self.name(), np.zeros(tuple(np.delete(v.array.shape, axis)), v.array.dtype)
                        if trips == 0 else v.array.take(0, axis), v.exact)
                  for v, axis in zip(scanned, axes)]
        for v in states + slices:
            inner.values.append(v)
            inner.known[v.name] = v.array
        self.grow(inner, rng.randrange(0, 4), depth + 1)
        nexts = [self.same_next(inner, port) for port in states]
        stacked = [inner.emit("Identity", [v], v.exact, hidden=True) for v in [slices[0]] + [
            v for v in (inner.pick(onnx_ops.any_value) for _ in range(rng.randrange(0, 2)))
            if v is not None]]
        if None in nexts or None in stacked:
            return
        stacked = [v[0] for v in stacked]
        body = graph_of(inner, "body", states + slices, nexts + stacked,
                        shapes=[None] * len(states + slices))
        node = helper.make_node(
            "Scan", [v.name for v in carried + scanned], [self.name() for _ in nexts + stacked],
            body=body, num_scan_inputs=len(scanned),
            scan_input_axes=[a - v.array.ndim if rng.random() < 0.3 and self.opset >= 11 else a
                             for v, a in zip(scanned, axes)],
            scan_input_directions=[rng.randrange(2) for _ in scanned],
            scan_output_axes=[rng.randrange(v.array.ndim + 1) for v in stacked],
            scan_output_directions=[rng.randrange(2) for _ in stacked])
        arrays = self.run(node, {name: scope.array(name) for name in outer_names(node)})
        if arrays is None:
            return
        made = scope.append(node, arrays, False, hidden=True)
        for i, value in enumerate(made or ()):
            if i < len(nexts) or trips:
                scope.values.append(value)
            elif scope.outer is None:
                self.loose.append(value)

    def same_next(self, inner, port):
        """What a carried value of one shape is in the next trip."""
        fits = [v for v in inner.values if v.array.dtype == port.array.dtype and
                v.array.shape == port.array.shape]
        out = inner.emit("Identity", [self.rng.choice(fits)], False, hidden=True)
        return out[0] if out else None

    def next_of(self, inner, port):
        """What a carried value is in the next trip: of its type, at times of another shape."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.15 and port.array.ndim and port.array.shape[0] < 8:
            out = inner.emit("Concat", [port, port], False, hidden=True, axis=0)
        elif roll < 0.25 and port.array.ndim and port.array.shape[0] > 1:
            out = inner.slice(port, [0], [-1], [0])
        elif roll < 0.5:
            fits = [v for v in inner.values if v.array.dtype == port.array.dtype and
                    v.array.shape == port.array.shape]
            out = inner.emit("Identity", [rng.choice(fits)], False, hidden=True)
        elif port.array.dtype == np.bool_:
            out = inner.emit("Not", [port], False, hidden=True)
        else:
            out = inner.emit("Add", [port, inner.const(np.ones((), port.array.dtype))], False,
                             hidden=True)
        return out[0] if out else None

    def grow(self, scope, steps, depth):
        for _ in range(steps):
            roll = self.rng.random()
            if depth < 2 and roll < 0.12:
                ways = (self.choose, self.loop)
                self.rng.choice(ways + ((self.scan,) if self.has_scans else ()))(scope, depth)
            else:
                self.rng.choices([w for w, _ in WAYS], [n for _, n in WAYS])[0](scope)

    def graph(self):
        rng, scope = self.rng, Scope(self)
        floats = rng.random() < 0.6
        for _ in range(rng.randrange(1, 5)):
            named = [rng.choice(DIMS) if rng.random() < 0.6 else rng.choice((1, 2, 3, 4))
                     for _ in range(rng.choice((0, 1, 1, 2, 2, 2, 3, 4)))]
            if rng.random() < 0.03 and named:
                named[0] = 0
            kind = np.float32 if floats and rng.random() < 0.7 else \
                rng.choice(onnx_ops.FLOATS + onnx_ops.INTS + (np.int64, np.bool_))
            value = Value(self.name(), self.with_specials(
                self.data(kind, [self.sizes.get(d, d) for d in named])), True)
            scope.inputs.append((value, named))
            scope.values.append(value)
            scope.known[value.name] = value.array
        self.grow(scope, rng.randrange(4, 22), 0)
        # What nobody reads goes out: no node is idle, and whoever refuses one refuses the run.
        read = {v.name for v, _ in scope.inputs}
        for node in scope.nodes:
            read |= outer_names(node)
        outputs = [v for v in self.loose + scope.values if v.name not in read]
        if not outputs:
            outputs = scope.emit("Identity", [scope.values[0]], True)
        return scope, outputs

    def feeds(self, inputs):
        """The inputs of the basis sizes, and of two other choices of sizes."""
        yield {value.name: value.array for value, _ in inputs}
        for _ in range(2):
            sizes = {d: n if self.rng.random() < 0.4 else self.rng.choice(
                (1, 2, 3, 4, 5, 6, 8, 11) + ((0,) if self.rng.random() < 0.2 else ()))
                for d, n in self.sizes.items()}
            yield {value.name: self.with_specials(self.data(
                value.array.dtype, [sizes.get(d, d) for d in named])) for value, named in inputs}


def outer_names(node):
    """What a control node reads from outside of its bodies, its own inputs too."""
    found = {name for name in node.input if name}
    for attribute in node.attribute:
        if attribute.HasField("g"):
            graph = attribute.g
            made = {v.name for v in graph.input} | {t.name for t in graph.initializer}
            inner = {v.name for v in graph.output}
            for n in graph.node:
                inner |= outer_names(n)
                made |= set(n.output)
            found |= inner - made
    return found


def graph_of(scope, name, inputs, outputs, shapes=None):
    def info(value, shape):
        return helper.make_tensor_value_info(value.name, onnx_ops.ONNX[value.array.dtype], shape)
    ins = [info(v, s) for v, s in zip(inputs, shapes or [None] * len(inputs))]
    return helper.make_graph(scope.nodes, name, ins, [info(v, None) for v in outputs],
                             scope.weights)


def make(seed):
    """(ModelProto, [inputs by name, ...], whether they hold NaN)."""
    gen = Generator(seed)
    scope, outputs = gen.graph()
    graph = graph_of(scope, "g", [v for v, _ in scope.inputs], outputs,
                     [named for _, named in scope.inputs])
    return gen.model(graph), list(gen.feeds(scope.inputs)), gen.has_nan
