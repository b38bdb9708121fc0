"""Makes tensors of every dtype out of a seeded generator."""

import torch

# Every dtype that safetensors 0.8 can hold, as torch calls it.
DTYPES = [
    torch.uint64, torch.int64, torch.float64, torch.complex64, torch.float32, torch.uint32,
    torch.int32, torch.bfloat16, torch.float16, torch.uint16, torch.int16,
    torch.float8_e5m2fnuz, torch.float8_e4m3fnuz, torch.float8_e8m0fnu, torch.float8_e4m3fn,
    torch.float8_e5m2, torch.int8, torch.uint8, torch.float4_e2m1fn_x2, torch.bool,
]


def of_bits(dtype, shape, rng):
    """A tensor of random bits: NaN payloads, infinities and denormals included."""
    count = 1
    for length in shape:
        count *= length
    if dtype == torch.bool:
        data = [rng.randrange(2) for _ in range(count)]
        return torch.tensor(data, dtype=torch.uint8).view(torch.bool).reshape(shape)
    data = list(rng.randbytes(count * dtype.itemsize))
    return torch.tensor(data, dtype=torch.uint8).view(dtype).reshape(shape)


def short_name(dtype):
    return str(dtype).removeprefix("torch.")
