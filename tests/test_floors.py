"""The picture of the house cannot rot: every module imports only from floors below its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up; modules of one group stand side by side and may not import one another.
FLOORS = [
    [
        "backend.allowance",
        "backend.by_value",
        "backend.config",
        "backend.cuda_kernels",
        "backend.memory",
        "backend.names",
        "backend.numba_parts",
        "backend.nvidia",
        "backend.recording",
        "backend.session",
        "backend.symbol",
        "backend.threads",
        "backend.tree",
    ]
    + ["layerkit.version"],
    ["backend.base", "backend.dtypes", "backend.numba_tiles"],
    ["backend.cudnn_layout", "backend.numba_kernels"],
    ["backend.cublas", "backend.cudnn", "backend.cupy_feed", "backend.cupy_graph"],
    ["backend.cudnn_graph"],
    ["backend.engines"],
    ["backend.cupy_backend", "backend.numpy_backend"],
    ["backend.numba_backend"],
    ["backend.registry"],
    ["backend.autodiff", "backend.random"],
    ["backend.gradcheck", "backend.ops.elementwise", "backend.replay", "backend.traced"]
    + ["backend.stateless_scope"],
    ["backend.ops.linalg", "backend.ops.indexing", "backend.ops.reductions", "backend.ops.shape"],
    ["backend.ops.windows", "backend.ops.complex_numbers"],
    ["backend.ops.*"],
    ["backend.ops"],
    ["backend.operators", "backend.testing"],
    ["backend"],
    ["layerkit.constructors", "layerkit.interpolation", "layerkit.naming"]
    + ["layerkit.window_functions", "layerkit.data.*"],
    ["layerkit.data"],
    ["layerkit.configurable"],
    ["layerkit.dtype_policies", "layerkit.old_arguments"],
    ["layerkit.config", "layerkit.random", "layerkit.symbolic", "layerkit.tree"],
    ["layerkit.ops.activations", "layerkit.ops.convolution", "layerkit.ops.ctc"]
    + ["layerkit.ops.resampling", "layerkit.ops.strings"],
    ["layerkit.config", "layerkit.symbolic"],
    ["layerkit.ops.numpy.*"],
    ["layerkit.ops.*"],
    ["layerkit.ops"],
    ["layerkit.utils.*"],
    ["layerkit.utils", "layerkit.preprocessing.*"],
    ["layerkit.legacy.*", "layerkit.preprocessing"],
    ["layerkit.legacy"],
    ["layerkit.activations", "layerkit.initializers", "layerkit.constraints"],
    ["layerkit.masks"],
    ["layerkit.losses.*", "layerkit.regularizers", "layerkit.optimizers.*"],
    ["layerkit.losses"],
    ["layerkit.metrics.metric", "layerkit.optimizers"],
    ["layerkit.mixed_precision"],
    ["layerkit.metrics.*"],
    ["layerkit.metrics"],
    ["layerkit.layers.call_context", "layerkit.layers.input_spec", "layerkit.layers.shapes"]
    + ["layerkit.layers.signatures", "layerkit.layers.structure"],
    ["layerkit.layers.holder"],
    ["layerkit.layers.layer"],
    ["layerkit.layers.preprocessing"],
    ["layerkit.layers.preprocessing.*"],
    ["layerkit.layers.*"],
    ["layerkit.layers.retired.*"],
    ["layerkit.layers", "layerkit.layers.retired"],
    ["layerkit.saving.all_or_nothing", "layerkit.saving.hdf5_filters"]
    + ["layerkit.saving.hdf5_latest", "layerkit.saving.hdf5_texts", "layerkit.saving.refusal"]
    + ["layerkit.saving.shared_layers", "layerkit.saving.side_by_side"],
    ["layerkit.saving.hdf5_structure"],
    ["layerkit.saving.hdf5", "layerkit.saving.model_config", "layerkit.saving.older_versions"]
    + ["layerkit.saving.optimizer_variables", "layerkit.saving.order_of_axes"]
    + ["layerkit.saving.training_config"],
    ["layerkit.saving.legacy.*"],
    ["layerkit.progress", "layerkit.saving.*"],
    ["layerkit.saving", "layerkit.callbacks.*"],
    ["layerkit.utils.feature_space"],
    ["layerkit.callbacks"],
    ["layerkit.models.outputs", "layerkit.models.passes", "layerkit.models.trainable_flags"],
    ["layerkit.models.compiled", "layerkit.models.summary", "layerkit.models.traced"],
    ["layerkit.models.replayed", "layerkit.models.training_state"],
    ["layerkit.models.trainer"],
    ["layerkit.models.model"],
    ["layerkit.models.graph", "layerkit.models.sequential"],
    ["layerkit.models.function", "layerkit.models.graph_config"],
    ["layerkit.models.functional"],
    ["layerkit.models.cloning"],
    ["layerkit.models"],
    ["layerkit.wrappers.*"],
    ["layerkit.wrappers"],
    ["layerkit.compat.*"],
    ["layerkit.compat"],
    ["layerkit.commands"],
    ["layerkit.commands.*"],
    ["layerkit.__main__"],
    ["layerkit"],
    ["applications.*"],
    ["applications"],
]


def modules() -> dict[str, Path]:
    found = {}
    for folder in ("backend", "layerkit", "applications", "datasets"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.stem.startswith(("make_", "train_")):  # scripts, not part of the package
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def floor(module: str) -> int:
    family = module.rpartition(".")[0] + ".*"
    for name in (module, family):
        for height, group in enumerate(FLOORS):
            if name in group:
                return height
    raise AssertionError(f"{module} has no floor: give it one in {__file__}")


def imports(module: str) -> set[str]:
    """The modules of the project that `module` imports when it is imported."""
    path = MODULES[module]
    is_package = path.name == "__init__.py"
    found = set()
    for node in ast.parse(path.read_text()).body:
        for statement in node.body if isinstance(node, ast.Try) else [node]:
            if isinstance(statement, ast.ImportFrom):
                base = absolute(module, is_package, statement.module, statement.level)
                for alias in statement.names:
                    name = alias.name if base == "layerkit" else f"{base}.{alias.name}"
                    name = name if name in MODULES else f"{base}.{alias.name}"
                    found.add(name if name in MODULES else base)
            elif isinstance(statement, ast.Import):
                found.update(absolute(module, False, alias.name, 0) for alias in statement.names)
    return found & set(MODULES)


def absolute(module: str, is_package: bool, name: str | None, level: int) -> str:
    if level:
        parts = module.split(".") if is_package else module.split(".")[:-1]
        parts = parts[: len(parts) - level + 1]
        return ".".join([*parts, *([name] if name else [])])
    for folder in ("backend", "datasets", "applications"):
        if name == f"layerkit.{folder}" or (name or "").startswith(f"layerkit.{folder}."):
            return (name or "").removeprefix("layerkit.")
    return name or ""


def side_by_side(module: str, other: str) -> bool:
    """Parts of one folder that share a floor may use one another, if not in a circle."""
    same_folder = module.rpartition(".")[0] == other.rpartition(".")[0]
    return same_folder and "." in module


@pytest.mark.parametrize("module", sorted(m for m in MODULES if not m.startswith("datasets")))
def test_imports_go_down(module: str):
    for other in imports(module) - {module}:
        assert not other.startswith("datasets"), f"{module} imports {other}"
        if floor(other) == floor(module) and side_by_side(module, other):
            assert module not in imports(other), f"{module} and {other} import each other"
        else:
            assert floor(other) < floor(module), f"{module} imports {other}, which is not below it"


@pytest.mark.parametrize("module", sorted(m for m in MODULES if m.startswith("datasets")))
def test_datasets_stand_alone(module: str):
    assert all(other.startswith("datasets") for other in imports(module))


def test_operations_leave_products_to_the_backend():
    """`registry.product`, and no `@`: CuPy's cannot be part of a CUDA graph."""
    for path in sorted((ROOT / "backend" / "ops").glob("*.py")):
        operators = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.BinOp)]
        lines = [n.lineno for n in operators if isinstance(n.op, ast.MatMult)]
        assert not lines, f"{path.name}, lines {lines}: call product(a, b)"


def test_one_copy_of_every_module():
    code = "import layerkit, sys; print('backend' in sys.modules or 'datasets' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr


def test_import_is_silent_and_light():
    code = (
        "import sys, layerkit; heavy = {'h5py', 'tqdm', 'zipfile', 'urllib.request', 'matplotlib', "
        "'threadpoolctl', 'layerkit.datasets', 'layerkit.applications'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")
