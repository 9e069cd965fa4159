"""The CUDA C of the CuPy backend: every kernel's text, in one place.

A kernel is its parameters and its body. `source` adds what all share and fixes the types: `T` is
the arrays' type, `A` the type it is computed and accumulated in (float for halves), `I` the type
of indices. Images are (batch, *spatial, channels) with three spatial axes, the missing ones of
size 1. Every kernel is a gather: one thread (or warp, or column of a block) owns what it writes,
so there are no atomics and the same inputs give the same bits. Numbers come with the launch, or
are `held` on the device, which may change them between the launches of a captured graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np

# The arrays' dtype: its name in CUDA C, what it is computed in, the header that declares it.
TYPES = {
    "float16": ("__half", "float", "cuda_fp16.h"),
    "bfloat16": ("__nv_bfloat16", "float", "cuda_bf16.h"),
    "float32": ("float", "float", None),
    "float64": ("double", "double", None),
}

THREADS = 256  # in a block of a kernel with one thread per element
WARP = 32  # threads in a warp
LANES = 8  # rows of a block whose threads share one column's sum

_AXIS = ("size", "out", "window", "stride", "pad", "dilation")
_AXES = ", ".join(f"int {field}{axis}" for axis in range(3) for field in _AXIS)
_GATHERED = ", ".join(f"a{i} = {{{', '.join(f'{field}{i}' for field in _AXIS)}}}" for i in range(3))

_SHARED = """
// One spatial axis: cells of the image, windows (outputs), and how the windows lie. The cell at
// position p of window o is o * stride - pad + p * dilation.
struct Axis { int size, out, window, stride, pad, dilation; };

// An element of images of n0 x n1 x n2 cells.
struct Place { I sample; int at0, at1, at2, channel; };

__device__ Place place(I i, int n0, int n1, int n2, int channels) {
    Place q;
    q.channel = i % channels; i /= channels;
    q.at2 = i % n2; i /= n2;
    q.at1 = i % n1; i /= n1;
    q.at0 = i % n0; q.sample = i / n0;
    return q;
}

__device__ I thread() { return I(blockIdx.x) * blockDim.x + threadIdx.x; }

__device__ int cell_at(Axis a, int o, int p) {  // negative where it is outside of the image
    int i = o * a.stride - a.pad + p * a.dilation;
    return i < a.size ? i : -1;
}

// visit(position in the window, cell of the image or -1) for the cells of window `o`, in order.
template <class Visit>
__device__ void each_cell(Axis a, Axis b, Axis c, Place o, Visit visit) {
    int position = 0;
    for (int p0 = 0; p0 < a.window; p0++) {
        int i0 = cell_at(a, o.at0, p0);
        for (int p1 = 0; p1 < b.window; p1++) {
            int i1 = cell_at(b, o.at1, p1);
            for (int p2 = 0; p2 < c.window; p2++) {
                int i2 = cell_at(c, o.at2, p2);
                bool inside = i0 >= 0 && i1 >= 0 && i2 >= 0;
                visit(position++, inside ? (I(i0) * b.size + i1) * c.size + i2 : I(-1));
            }
        }
    }
}

// The last window that may see the cell, or -1; from there on, earlier ones see it further on.
__device__ int last_window(Axis a, int cell) {
    int reached = cell + a.pad;
    return reached < 0 ? -1 : min(reached / a.stride, a.out - 1);
}

// Where in window `o` the cell is: a position, -1 between two positions, -2 beyond the last.
__device__ int position_in(Axis a, int o, int cell) {
    int reached = cell + a.pad - o * a.stride;
    if (reached > (a.window - 1) * a.dilation) return -2;
    return a.dilation == 1 ? reached : reached % a.dilation ? -1 : reached / a.dilation;
}

// visit(position in the window, window) for the windows that see cell `i`, by rising position.
template <class Visit>
__device__ void each_window(Axis a, Axis b, Axis c, Place i, Visit visit) {
    for (int o0 = last_window(a, i.at0); o0 >= 0; o0--) {
        int p0 = position_in(a, o0, i.at0);
        if (p0 == -2) break;
        if (p0 == -1) continue;
        for (int o1 = last_window(b, i.at1); o1 >= 0; o1--) {
            int p1 = position_in(b, o1, i.at1);
            if (p1 == -2) break;
            if (p1 == -1) continue;
            for (int o2 = last_window(c, i.at2); o2 >= 0; o2--) {
                int p2 = position_in(c, o2, i.at2);
                if (p2 == -2) break;
                if (p2 == -1) continue;
                visit((p0 * b.window + p1) * c.window + p2, (I(o0) * b.out + o1) * c.out + o2);
            }
        }
    }
}

// Over the threads of a warp; every one of them gets the result.
__device__ A warp_sum(A x) {
    for (int d = WARP / 2; d; d /= 2) x += __shfl_xor_sync(0xffffffffu, x, d);
    return x;
}

__device__ A warp_max(A x) {
    for (int d = WARP / 2; d; d /= 2) {
        A other = __shfl_xor_sync(0xffffffffu, x, d);
        x = other > x || other != other ? other : x;
    }
    return x;
}

// Over the rows of a block of WARP x LANES threads, in order; the first row gets the result.
__device__ A column_sum(A x) {
    __shared__ A tile[LANES][WARP];
    tile[threadIdx.y][threadIdx.x] = x;
    __syncthreads();
    A total = 0;
    if (threadIdx.y == 0)
        for (int row = 0; row < LANES; row++) total += tile[row][threadIdx.x];
    return total;
}
"""


class Kernel(NamedTuple):
    """`parameters` and `body` in CUDA C; `windows` adds the three axes `a0, a1, a2` to both."""

    parameters: str
    body: str
    windows: bool = False

    @property
    def signature(self) -> str:
        return f"{self.parameters}, {_AXES}" if self.windows else self.parameters


KERNELS = {
    # Unfolded images, (groups, windows, cells of a window, depth), one thread per (window, channel)
    "im2col": Kernel(
        "I count, T* columns, const T* x, int channels, int depth",
        """
    I i = thread();
    if (i >= count) return;
    Place o = place(i, a0.out, a1.out, a2.out, channels);
    int cells = a0.window * a1.window * a2.window;
    I windows = count / channels, window = i / channels;
    T* to = columns + ((o.channel / depth * windows + window) * cells) * depth + o.channel % depth;
    const T* image = x + o.sample * a0.size * a1.size * a2.size * channels + o.channel;
    each_cell(a0, a1, a2, o, [&](int position, I cell) {
        to[I(position) * depth] = cell < 0 ? T(0) : image[cell * channels];
    });
""",
        windows=True,
    ),
    # The adjoint of im2col, one thread per cell and channel of the images
    "col2im": Kernel(
        "I count, T* x, const T* columns, int channels, int depth, I windows",
        """
    I i = thread();
    if (i >= count) return;
    Place at = place(i, a0.size, a1.size, a2.size, channels);
    int cells = a0.window * a1.window * a2.window;
    I first = at.channel / depth * windows + at.sample * a0.out * a1.out * a2.out;
    const T* from = columns + first * cells * depth + at.channel % depth;
    A sum = 0;
    each_window(a0, a1, a2, at, [&](int position, I window) {
        sum += A(from[(window * cells + position) * depth]);
    });
    x[i] = T(sum);
""",
        windows=True,
    ),
    "max_pool": Kernel(
        "I count, T* y, W* winner, const T* x, int channels",
        """
    I i = thread();
    if (i >= count) return;
    Place o = place(i, a0.out, a1.out, a2.out, channels);
    const T* image = x + o.sample * a0.size * a1.size * a2.size * channels + o.channel;
    A best = -INFINITY;
    int first = 0;
    each_cell(a0, a1, a2, o, [&](int position, I cell) {
        if (cell < 0) return;
        A value = A(image[cell * channels]);
        if (value > best) first = position;
        if (value > best || value != value) best = value;  // what is not a number stays
    });
    y[i] = T(best);
    winner[i] = first;
""",
        windows=True,
    ),
    "max_pool_grad": Kernel(
        "I count, T* x, const T* g, const W* winner, int channels",
        """
    I i = thread();
    if (i >= count) return;
    Place at = place(i, a0.size, a1.size, a2.size, channels);
    I first = at.sample * a0.out * a1.out * a2.out * channels + at.channel;
    A sum = 0;
    each_window(a0, a1, a2, at, [&](int position, I window) {
        I o = first + window * channels;
        if (winner[o] == position) sum += A(g[o]);
    });
    x[i] = T(sum);
""",
        windows=True,
    ),
    "sum_pool": Kernel(
        "I count, T* y, const T* x, int channels",
        """
    I i = thread();
    if (i >= count) return;
    Place o = place(i, a0.out, a1.out, a2.out, channels);
    const T* image = x + o.sample * a0.size * a1.size * a2.size * channels + o.channel;
    A sum = 0;
    each_cell(a0, a1, a2, o, [&](int, I cell) {
        if (cell >= 0) sum += A(image[cell * channels]);
    });
    y[i] = T(sum);
""",
        windows=True,
    ),
    "sum_pool_grad": Kernel(
        "I count, T* x, const T* g, int channels",
        """
    I i = thread();
    if (i >= count) return;
    Place at = place(i, a0.size, a1.size, a2.size, channels);
    I first = at.sample * a0.out * a1.out * a2.out * channels + at.channel;
    A sum = 0;
    each_window(a0, a1, a2, at, [&](int, I window) { sum += A(g[first + window * channels]); });
    x[i] = T(sum);
""",
        windows=True,
    ),
    # Each channel with `multiplier` filters of its own; w is (cells of a window, filters)
    "depthwise": Kernel(
        "I count, T* y, const T* x, const T* w, int filters, int multiplier",
        """
    I i = thread();
    if (i >= count) return;
    Place o = place(i, a0.out, a1.out, a2.out, filters);
    int channels = filters / multiplier;
    I first = o.sample * a0.size * a1.size * a2.size * channels + o.channel / multiplier;
    A sum = 0;
    each_cell(a0, a1, a2, o, [&](int position, I cell) {
        if (cell < 0) return;
        sum += A(x[first + cell * channels]) * A(w[I(position) * filters + o.channel]);
    });
    y[i] = T(sum);
""",
        windows=True,
    ),
    "depthwise_input_grad": Kernel(
        "I count, T* x, const T* g, const T* w, int channels, int multiplier",
        """
    I i = thread();
    if (i >= count) return;
    Place at = place(i, a0.size, a1.size, a2.size, channels);
    int filters = channels * multiplier;
    I first = at.sample * a0.out * a1.out * a2.out * filters;
    A sum = 0;
    each_window(a0, a1, a2, at, [&](int position, I window) {
        for (int f = at.channel * multiplier; f < (at.channel + 1) * multiplier; f++)
            sum += A(g[first + window * filters + f]) * A(w[I(position) * filters + f]);
    });
    x[i] = T(sum);
""",
        windows=True,
    ),
    # Blocks of WARP filters x LANES over the windows, a grid of (filters, positions, parts); the
    # gradient is the sum of the parts, (parts, cells of a window, filters)
    "depthwise_kernel_grad": Kernel(
        "A* parts, const T* x, const T* g, int filters, int multiplier, I windows",
        """
    int f = blockIdx.x * WARP + threadIdx.x, channels = filters / multiplier;
    int p2 = blockIdx.y % a2.window, p1 = blockIdx.y / a2.window % a1.window;
    int p0 = blockIdx.y / a2.window / a1.window;
    A sum = 0;
    I step = I(gridDim.z) * LANES;
    for (I o = I(blockIdx.z) * LANES + threadIdx.y; f < filters && o < windows; o += step) {
        Place at = place(o, a0.out, a1.out, a2.out, 1);
        int i0 = cell_at(a0, at.at0, p0), i1 = cell_at(a1, at.at1, p1);
        int i2 = cell_at(a2, at.at2, p2);
        if (i0 < 0 || i1 < 0 || i2 < 0) continue;
        I cell = ((at.sample * a0.size + i0) * a1.size + i1) * a2.size + i2;
        sum += A(x[cell * channels + f / multiplier]) * A(g[o * filters + f]);
    }
    sum = column_sum(sum);
    if (threadIdx.y == 0 && f < filters)
        parts[(I(blockIdx.z) * gridDim.y + blockIdx.y) * filters + f] = sum;
""",
        windows=True,
    ),
    # Philox4x64-10, a block of four words (16 numbers) per thread: see Backend.dropout_mask
    "dropout_mask": Kernel(
        "I count, T* mask, U64 key0, U64 key1, U64 counter, int dropped, A kept",
        """
    U64 block = U64(blockIdx.x) * blockDim.x + threadIdx.x;
    if (block * 16 >= U64(count)) return;
    U64 word[4] = {block + 1, 0, counter, 0};
    for (int round = 0; round < 10; round++) {
        U64 low0 = word[0] * 0xD2E7470EE14C6C93ull, low2 = word[2] * 0xCA5A826395121157ull;
        U64 high0 = __umul64hi(word[0], 0xD2E7470EE14C6C93ull);
        U64 high2 = __umul64hi(word[2], 0xCA5A826395121157ull);
        word[0] = high2 ^ word[1] ^ key0; word[1] = low2;
        word[2] = high0 ^ word[3] ^ key1; word[3] = low0;
        key0 += 0x9E3779B97F4A7C15ull; key1 += 0xBB67AE8584CAA73Bull;
    }
    #pragma unroll
    for (int j = 0; j < 16; j++) {
        int number = int(word[j / 4] >> (16 * (j % 4)) & 0xffff);
        I i = I(block) * 16 + j;
        if (i < count) mask[i] = number < dropped ? T(0) : T(kept);
    }
""",
    ),
    # out[id] = the sum of updates[order[j]] for the j with ids[j] == id; ids are sorted. A block of
    # WARP columns x LANES for each j; only the first of equal ids has work
    "scatter_add": Kernel(
        "T* out, const T* updates, const I64* ids, const I64* order, I count, I columns, I rows",
        """
    I blocks = (columns + WARP - 1) / WARP, j = I(blockIdx.x) / blocks;
    I column = I(blockIdx.x) % blocks * WARP + threadIdx.x;
    I64 id = ids[j];
    if (id < 0 || id >= rows || (j > 0 && ids[j - 1] == id)) return;
    A sum = 0;
    for (I k = j + threadIdx.y; column < columns && k < count && ids[k] == id; k += LANES)
        sum += A(updates[I(order[k]) * columns + column]);
    sum = column_sum(sum);
    if (threadIdx.y == 0 && column < columns) out[I(id) * columns + column] = T(sum);
""",
    ),
    "bias_activation": Kernel(
        "I count, T* y, const T* x, const T* bias, I size",
        """
    I i = thread();
    if (i >= count) return;
    A z = A(x[i]);
    if (bias) z += A(bias[i % size]);
    y[i] = T(ACTIVATION);
""",
    ),
    "bias_activation_grad": Kernel(
        "I count, T* dz, const T* g, const T* values",
        """
    I i = thread();
    if (i >= count) return;
    [[maybe_unused]] A y = A(values[i]);
    dz[i] = T(A(g[i]) * (DERIVATIVE));
""",
    ),
    # One warp per row. TARGET is the share of class c: of a class number, or of a distribution
    "softmax_crossentropy": Kernel(
        "I rows, T* loss, T* p, const T* logits, const W* target, I classes",
        """
    I row = I(blockIdx.x) * (blockDim.x / WARP) + threadIdx.x / WARP, first = row * classes;
    int lane = threadIdx.x % WARP;
    if (row >= rows) return;
    A largest = -INFINITY, total = 0, sum = 0;
    for (I c = lane; c < classes; c += WARP) {
        A z = A(logits[first + c]);
        largest = z > largest || z != z ? z : largest;
    }
    largest = warp_max(largest);
    for (I c = lane; c < classes; c += WARP) total += exp(A(logits[first + c]) - largest);
    total = warp_sum(total);
    A log_total = log(total);
    for (I c = lane; c < classes; c += WARP) {
        A z = A(logits[first + c]) - largest, share = TARGET;
        p[first + c] = T(exp(z) / total);
        if (share != 0) sum += share * (log_total - z);
    }
    sum = warp_sum(sum);
    if (lane == 0) loss[row] = T(sum);
""",
    ),
    "softmax_crossentropy_grad": Kernel(
        "I rows, T* dz, const T* g, const T* p, const W* target, I classes",
        """
    I row = I(blockIdx.x) * (blockDim.x / WARP) + threadIdx.x / WARP, first = row * classes;
    int lane = threadIdx.x % WARP;
    if (row >= rows) return;
    A upstream = A(g[row]), total = 0;
    for (I c = lane; c < classes; c += WARP) total += TARGET;
    total = warp_sum(total);
    for (I c = lane; c < classes; c += WARP)
        dz[first + c] = T(upstream * (A(p[first + c]) * total - TARGET));
""",
    ),
    # The optimizers' rules over flat arrays. Slots that are not there are null
    "sgd": Kernel(
        "I count, T* w, const T* g, T* momentum, A lr, A decay, A beta, int nesterov",
        """
    I i = thread();
    if (i >= count) return;
    A x = A(w[i]), step = A(g[i]) * lr;
    x -= x * decay * lr;
    if (momentum) {
        A m = A(momentum[i]) * beta - step;
        momentum[i] = T(m);
        w[i] = T(x + (nesterov ? m * beta - step : m));
    } else {
        w[i] = T(x - step);
    }
""",
    ),
    "rmsprop": Kernel(
        "I count, T* w, const T* g, T* velocity, T* momentum, T* average_gradient, "
        "A lr, A decay, A rho, A one_minus_rho, A beta, A epsilon",
        """
    I i = thread();
    if (i >= count) return;
    A x = A(w[i]), dx = A(g[i]);
    x -= x * decay * lr;
    A variance = A(velocity[i]) * rho + dx * dx * one_minus_rho;
    velocity[i] = T(variance);
    if (average_gradient) {
        A mean = A(average_gradient[i]) * rho + dx * one_minus_rho;
        average_gradient[i] = T(mean);
        variance -= mean * mean;
    }
    A step = dx * lr / sqrt(variance + epsilon);
    if (momentum) {
        step += A(momentum[i]) * beta;
        momentum[i] = T(step);
    }
    w[i] = T(x - step);
""",
    ),
    # `step` is the learning rate with both corrections: Adam._step_size
    "adam": Kernel(
        "I count, T* w, const T* g, T* momentum, T* velocity, T* velocity_hat, "
        "A lr, A decay, A step, A one_minus_beta_1, A one_minus_beta_2, A epsilon",
        """
    I i = thread();
    if (i >= count) return;
    A x = A(w[i]), dx = A(g[i]), m = A(momentum[i]), v = A(velocity[i]);
    x -= x * decay * lr;
    m += (dx - m) * one_minus_beta_1;
    v += (dx * dx - v) * one_minus_beta_2;
    momentum[i] = T(m);
    velocity[i] = T(v);
    if (velocity_hat) {
        A largest = A(velocity_hat[i]);
        v = v > largest || v != v ? v : largest;
        velocity_hat[i] = T(v);
    }
    w[i] = T(x - m * step / (sqrt(v) + epsilon));
""",
    ),
}


def source(
    name: str, dtype: str, wide: bool = False, held: Collection[str] = (), **macros: str
) -> str:
    """The text of a kernel over arrays of `dtype`, ready for the compiler; its name is `name`.

    `wide`: indices of 64 bits. `held`: the numbers that are read from the device, each through a
    pointer to one element of the parameter's type. `macros`: what else the kernel leaves open (W,
    ACTIVATION, ...).
    """
    element, accumulator, header = TYPES[dtype]
    kernel = KERNELS[name]
    lines = [f"#include <{header}>"] if header else []
    lines += [f"using T = {element};", f"using A = {accumulator};"]
    lines += [f"using I = {'long long' if wide else 'int'};"]
    lines += ["using I64 = long long;", "using U64 = unsigned long long;"]
    lines += [f"constexpr int WARP = {WARP}, LANES = {LANES};"]
    lines += ["#ifndef INFINITY", "#define INFINITY __int_as_float(0x7f800000)", "#endif"]
    lines += [f"#define {macro} ({text})" for macro, text in macros.items() if macro != "W"]
    lines += [f"using W = {macros['W']};"] if "W" in macros else []
    parameters, values = [], ""
    for parameter in kernel.signature.split(", "):
        kind, variable = parameter.rsplit(maxsplit=1)
        if variable in held:
            parameter = f"const {kind}* held_{variable}"
            values += f"\n    {kind} {variable} = *held_{variable};"
        parameters.append(parameter)
    axes = f"\n    const Axis {_GATHERED};" if kernel.windows else ""
    head = f'extern "C" __global__ void {name}({", ".join(parameters)}) {{'
    return "\n".join(lines) + "\n" + _SHARED + "\n" + head + values + axes + kernel.body + "}\n"


def converters(name: str, dtype: str, wide: bool = False) -> dict[str, Callable | None]:
    """For each parameter of a kernel, in order, its type as a number; None: it is an array."""
    scalars: dict[str, Any] = {"int": np.int32, "I": np.int64 if wide else np.int32}
    scalars |= {"U64": np.uint64, "A": np.float64 if dtype == "float64" else np.float32}
    pairs = (parameter.rsplit(maxsplit=1) for parameter in KERNELS[name].signature.split(", "))
    return {variable: None if kind.endswith("*") else scalars[kind] for kind, variable in pairs}
