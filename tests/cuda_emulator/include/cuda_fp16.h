// Half precision for the emulator: 16 bits in memory, float in computations, rounded to even.
#pragma once
#include "cudaemu.h"

struct __half {
    uint16_t bits;
    __half() = default;
    __half(float x) {
        uint32_t u;
        memcpy(&u, &x, 4);
        uint32_t sign = u >> 16 & 0x8000, size = u & 0x7fffffff;
        if (size >= 0x7f800000) {  // infinite, or not a number
            bits = sign | 0x7c00 | (size > 0x7f800000 ? 0x200 : 0);
        } else if (size >= 0x477ff000) {  // rounds to more than the largest
            bits = sign | 0x7c00;
        } else if (size < 0x38800000) {  // subnormal: a multiple of 2^-24
            bits = sign | (uint16_t)lrintf(fabsf(x) * 16777216.0f);
        } else {
            size += 0xfff + (size >> 13 & 1);
            bits = sign | ((size - 0x38000000) >> 13);
        }
    }
    operator float() const {
        uint32_t sign = (bits & 0x8000u) << 16, size = bits & 0x7fff;
        float x;
        if (size < 0x400) {
            x = size / 16777216.0f;
            return sign ? -x : x;
        }
        uint32_t u = sign | (size >= 0x7c00 ? 0x7f800000 | (size & 0x3ff) << 13
                                            : (size << 13) + 0x38000000);
        memcpy(&x, &u, 4);
        return x;
    }
};

template <> struct emulated::Kind<__half> { static std::string name() { return "f2"; } };
