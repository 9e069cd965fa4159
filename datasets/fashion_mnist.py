"""Fashion-MNIST: 70,000 pictures of clothes, in MNIST's format (Xiao, Rasul, Vollgraf, 2017)."""

from __future__ import annotations

from pathlib import Path

from .idx import IdxDataset, IdxFile, Split

DATASET = IdxDataset(
    name="fashion-mnist",
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files=(
        IdxFile(
            "train-images-idx3-ubyte",
            (60000, 28, 28),
            gzip_sha256="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            (60000,),
            gzip_sha256="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte",
            (10000, 28, 28),
            gzip_sha256="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            (10000,),
            gzip_sha256="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    remedy="",
)


def load_data(path: str | Path | None = None) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): the whole of Fashion-MNIST.

    x: uint8 of shape (60000, 28, 28) and (10000, 28, 28), 0 (background) to 255; y: uint8 labels of
    shape (60000,) and (10000,): 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal,
    6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    path: a folder of the four IDX files (gzipped or not) or an .npz with x_train, y_train, x_test,
        y_test; they are taken as they are. By default the files are downloaded (30 MB) into
        `~/.layerkit/datasets/fashion-mnist` (`LAYERKIT_HOME`).

    The hashes published for this data set are of the compressed files, so it is these that are
    checked by SHA-256; a file that you decompressed into the cache is checked by its shape only.

    Raises DownloadError (a ConnectionError) if no mirror can be reached, FileNotFoundError for a
    path that does not exist, ValueError for damaged files. MIT licence, Zalando SE.
    """
    return DATASET.load(path)
