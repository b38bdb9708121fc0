"""The measures of `ckptconv stats` in double precision with PyTorch."""

import math

import torch


def tensor_numbers(tensor):
    """The numbers about the elements of a tensor, as the JSON of `ckptconv stats` names them."""
    numbers = tensor.to(torch.float64).flatten()
    finite = numbers[numbers.isfinite()]
    sizes = finite.abs()
    nonzero = sizes[sizes > 0]
    found = {
        "dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
        "elements": tensor.numel(), "zeros": int((numbers == 0).sum()),
        "nan": int(numbers.isnan().sum()), "inf": int(numbers.isinf().sum()),
        "subnormal": None, "at_limit": None, "norm": float((finite * finite).sum().sqrt())}
    if tensor.is_floating_point():
        limits = torch.finfo(tensor.dtype)
        found["subnormal"] = int((nonzero < limits.smallest_normal).sum())
        found["at_limit"] = int((sizes == limits.max).sum())
    if finite.numel() == 0:
        return found | dict.fromkeys(["min", "max", "absmin", "mean", "std", "rms", "kurtosis"])
    mean = finite.mean()
    distances = finite - mean
    variance = (distances ** 2).mean()
    found |= {
        "min": float(finite.min()), "max": float(finite.max()),
        "absmin": float(nonzero.min()) if nonzero.numel() else None, "mean": float(mean),
        "mean_abs": float(sizes.mean()), "std": float(variance.sqrt()),
        "rms": float((finite ** 2).mean().sqrt()),
        "kurtosis": float((distances ** 4).mean() / variance ** 2) if variance > 0 else None}
    if nonzero.numel():
        exponents = torch.frexp(nonzero)[1].long() - 1
        first = int(exponents.min())
        found["histogram"] = {
            "first": first, "counts": torch.bincount(exponents - first).tolist()}
    if tensor.dim() == 2:
        matrix = tensor.to(torch.float64).nan_to_num(0, 0, 0)
        for axis, dimension in ("rows", 1), ("columns", 0):
            norms = matrix.norm(dim=dimension)
            found[axis] = {
                "count": norms.numel(), "zero": int((norms == 0).sum()),
                "norm_min": float(norms.min()), "norm_max": float(norms.max()),
                "norm_median": float(norms.sort()[0][(norms.numel() - 1) // 2]),
                "norm_rms": float((norms ** 2).mean().sqrt())}
    return found


def update_numbers(weight, state, group):
    """The numbers about the update that Adam makes with the state of a parameter."""
    first, second = state["exp_avg"].double(), state["exp_avg_sq"].double()
    step, (beta1, beta2) = float(state["step"]), group["betas"]
    used = first.isfinite() & second.isfinite() & (second >= 0)
    moments, squares = first[used] / (1 - beta1 ** step), second[used] / (1 - beta2 ** step)
    updates = moments / (squares.sqrt() + group["eps"])
    bound = (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1 ** 2 / beta2))
    found = {
        "step": step, "lr": group["lr"], "elements": first.numel(), "used": int(used.sum()),
        "grad_norm": float(squares.sum().sqrt()), "grad_rms": float(squares.mean().sqrt()),
        "update_norm": float(updates.norm()), "update_rms": float((updates ** 2).mean().sqrt()),
        "update_absmax": float(updates.abs().max()),
        "relative_update": float(group["lr"] * updates.norm() / weight.double().norm()),
        "coherence": float((moments ** 2).sum() / squares.sum()),
        "below_eps": int((squares.sqrt() < group["eps"]).sum()),
        "v_zero": int((second[used] == 0).sum()),
        "v_zero_m_nonzero": int(((second[used] == 0) & (first[used] != 0)).sum()),
        "v_negative": int((second < 0).sum()),
        "over_bound": int(
            (first[used].abs() > 1.01 * bound * second[used].sqrt() + 1e-19).sum())}
    if weight.dim() == 2:
        found["rows_without_update"] = int((second < 2.0 ** -126).all(1).sum())
    return found


# What rounding may change: sums of double precision in another order.
TOLERANCES = {
    "mean_abs": 1e-12, "std": 1e-12, "rms": 1e-12, "norm": 1e-12, "kurtosis": 1e-9,
    "norm_min": 1e-12, "norm_max": 1e-12, "norm_median": 1e-12, "norm_rms": 1e-12,
    "grad_norm": 1e-12, "grad_rms": 1e-12, "update_norm": 1e-10, "update_rms": 1e-10,
    "update_absmax": 1e-10, "relative_update": 1e-10, "coherence": 1e-10}


def assert_equal(found, expected, place):
    """Holds an object of JSON to numbers; what has no tolerance is exact."""
    for key, value in expected.items():
        at = f"{place}.{key}"
        if isinstance(value, dict) and key != "histogram":
            assert_equal(found[key], value, at)
        elif key == "mean" and value is not None:
            assert abs(found[key] - value) <= 1e-13 * found["mean_abs"], at
        elif key in TOLERANCES and value is not None:
            assert math.isclose(found[key], value, rel_tol=TOLERANCES[key], abs_tol=0), (
                at, found[key], value)
        else:
            assert found[key] == value, (at, found[key], value)
