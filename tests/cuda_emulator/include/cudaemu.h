// CUDA C's words, said in C++: enough to run a kernel on the CPU, one block after the other.
//
// The threads of a block are fibers. A fiber runs until it ends or waits: at __syncthreads for all
// threads of its block that have not ended, at a shuffle for those of its warp.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __constant__ static const
#define __shared__ static

struct dim3 { unsigned x = 1, y = 1, z = 1; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;

template <class N> static N min(N a, N b) { return b < a ? b : a; }
template <class N> static N max(N a, N b) { return a < b ? b : a; }
static inline float __int_as_float(int bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned __int128)a * b >> 64;
}

namespace emulated {

struct Barrier { unsigned waiting = 0, members = 0, passed = 0; };
struct Fiber {
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(64 * 1024);
    dim3 index;
    bool ended;
};

static ucontext_t scheduler;
static std::vector<Fiber> fibers;
static unsigned current;
static Barrier of_block, of_warp[32];
static unsigned char exchanged[1024][16];
static bool progress;
static void (*body)();

static void open_if_full(Barrier& b) {
    if (b.waiting && b.waiting == b.members) { b.waiting = 0; b.passed++; progress = true; }
}

static void wait(Barrier& b) {
    unsigned before = b.passed;
    b.waiting++;
    open_if_full(b);
    while (b.passed == before) swapcontext(&fibers[current].context, &scheduler);
}

static void thread_main() {
    body();
    fibers[current].ended = progress = true;
    of_block.members--;
    of_warp[current / 32].members--;
    open_if_full(of_block);
    open_if_full(of_warp[current / 32]);
}

static bool run_block() {  // false where threads wait forever
    unsigned count = blockDim.x * blockDim.y * blockDim.z, alive = count;
    if (fibers.size() < count) fibers.resize(count);
    of_block = Barrier{0, count, 0};
    for (unsigned w = 0; w * 32 < count; w++) of_warp[w] = Barrier{0, min(32u, count - w * 32), 0};
    for (unsigned i = 0; i < count; i++) {
        Fiber& f = fibers[i];
        f.ended = false;
        f.index.x = i % blockDim.x;
        f.index.y = i / blockDim.x % blockDim.y;
        f.index.z = i / blockDim.x / blockDim.y;
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = f.stack.data();
        f.context.uc_stack.ss_size = f.stack.size();
        f.context.uc_link = &scheduler;
        makecontext(&f.context, thread_main, 0);
    }
    while (alive) {
        progress = false;
        for (unsigned i = 0; i < count; i++) {
            if (fibers[i].ended) continue;
            current = i;
            threadIdx = fibers[i].index;
            swapcontext(&scheduler, &fibers[i].context);
            alive -= fibers[i].ended;
        }
        if (!progress) return false;
    }
    return true;
}

template <class N> static N exchange(N mine, unsigned from) {
    static_assert(sizeof(N) <= 16, "");
    unsigned me = current;
    memcpy(exchanged[me], &mine, sizeof(N));
    wait(of_warp[me / 32]);
    N other;
    memcpy(&other, exchanged[me / 32 * 32 + from % 32], sizeof(N));
    wait(of_warp[me / 32]);
    return other;
}

// The kind of a parameter, as the Python side writes it: '*f4', 'i8'.
template <class P> struct Kind { static std::string name() {
    char letter = std::is_floating_point<P>::value ? 'f' : std::is_signed<P>::value ? 'i' : 'u';
    return letter + std::to_string(sizeof(P));
} };
template <class P> struct Kind<P*> { static std::string name() {
    return "*" + Kind<std::remove_cv_t<P>>::name();
} };

template <class... P> static std::string signature(void (*)(P...)) {
    std::string all;
    ((all += Kind<P>::name() + " "), ...);
    return all;
}

template <class... P, size_t... I>
static void call(void (*kernel)(P...), void** args, std::index_sequence<I...>) {
    kernel(*(std::remove_cv_t<P>*)args[I]...);
}
template <class... P> static void call(void (*kernel)(P...), void** args) {
    call(kernel, args, std::index_sequence_for<P...>());
}

}  // namespace emulated

static void __syncthreads() { emulated::wait(emulated::of_block); }
static void __syncwarp(unsigned = ~0u) { emulated::wait(emulated::of_warp[emulated::current / 32]); }
template <class N> static N __shfl_xor_sync(unsigned, N x, unsigned lane) {
    return emulated::exchange(x, emulated::current % 32 ^ lane);
}
template <class N> static N __shfl_down_sync(unsigned, N x, unsigned by) {
    unsigned lane = emulated::current % 32;
    return emulated::exchange(x, lane + by < 32 ? lane + by : lane);
}
template <class N> static N __shfl_sync(unsigned, N x, unsigned lane) {
    return emulated::exchange(x, lane);
}
template <class N> static N atomicAdd(N* at, N x) { N old = *at; *at = old + x; return old; }
template <class N> static N atomicMax(N* at, N x) { N old = *at; if (x > old) *at = x; return old; }

#define EMULATED_KERNEL(kernel)                                                               \
    static void** emulated_args;                                                              \
    extern "C" const char* emulated_signature() {                                             \
        static std::string text = emulated::signature(kernel);                                \
        return text.c_str();                                                                  \
    }                                                                                         \
    extern "C" int emulated_launch(int gx, int gy, int gz, int bx, int by, int bz, void** a) { \
        gridDim.x = gx; gridDim.y = gy; gridDim.z = gz;                                       \
        blockDim.x = bx; blockDim.y = by; blockDim.z = bz;                                    \
        emulated_args = a;                                                                    \
        emulated::body = [] { emulated::call(kernel, emulated_args); };                       \
        for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)                            \
            for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)                        \
                for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)                    \
                    if (!emulated::run_block()) return 1;                                     \
        return 0;                                                                             \
    }
