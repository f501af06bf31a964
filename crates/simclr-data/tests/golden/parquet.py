"""Writes `photos.parquet` and `photos_without_index.parquet` as the Hugging Face hub's libraries do, for the tests of `ParquetImages`.

    python3 crates/simclr-data/tests/golden/parquet.py

Seven images of 6 x 4 pixels, PNG, each in one colour: red is 30 times the row, green 200 less 20 times the row, blue 7. Row 5 has no class,
and row 6 no image. Row groups have three rows, and pages one or two.
"""

import io
import json
import pathlib

import pyarrow
import pyarrow.parquet
from PIL import Image

FOLDER = pathlib.Path(__file__).parent
FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["cat", "crane", "crane"], "_type": "ClassLabel"},
}


def png(row):
    file = io.BytesIO()
    Image.new("RGB", (6, 4), (30 * row, 200 - 20 * row, 7)).save(file, "PNG")
    return file.getvalue()


images = [{"bytes": png(row), "path": f"{row}.png"} for row in range(6)] + [None]
labels = [0, 1, 2, 0, 1, None, 2]
schema = pyarrow.schema(
    [
        ("image", pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])),
        ("label", pyarrow.int64()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)
table = pyarrow.table({"image": images, "label": labels}, schema=schema)
for name, index in [("photos", True), ("photos_without_index", False)]:
    pyarrow.parquet.write_table(
        table,
        FOLDER / f"{name}.parquet",
        row_group_size=3,
        data_page_size=100,
        write_batch_size=1,
        write_page_index=index,
        compression="snappy",
    )
