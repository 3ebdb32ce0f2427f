"""Spark: where it cannot run it says what to install; what a task quotes of people's rows never comes out."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest

from riskmodel.engines import spark
from riskmodel.errors import DataRefused, DeclarationError

SCRIPT = """
import sys
{before}
from riskmodel.engines import spark
try:
    spark.session("local[1]")
except Exception as error:
    print(type(error).__name__, error.exit_code, error)
"""


def said(before="", **environment):
    kept = {name: value for name, value in os.environ.items() if name not in ("JAVA_HOME", "PATH")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before)],
        env=kept | environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_without_pyspark_the_extra_is_named():
    found = said("sys.modules['pyspark'] = None", PATH=os.environ["PATH"])
    assert found.startswith("NotInstalled 5 Found no pyspark on this machine")
    assert "pip install 'riskmodel-advisory[spark]'" in found


def test_without_java_the_package_is_named(tmp_path):
    found = said(PATH=str(tmp_path))
    assert found.startswith("NotInstalled 5 Found no Java on this machine; expected Java 17 or later")
    assert "apt install openjdk-17-jre-headless" in found
    assert "no Java in JAVA_HOME" in said(PATH=os.environ["PATH"], JAVA_HOME=str(tmp_path))


def test_an_old_java_is_refused_with_its_version(tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    assert "Found Java 8; expected Java 17 or later" in said(PATH=os.environ["PATH"], JAVA_HOME=str(tmp_path))


@pytest.mark.parametrize("address", ["locale", "local[0]", "spark://", "duckdb", "http://server"])
def test_an_address_that_names_no_spark_is_refused(address):
    with pytest.raises(DeclarationError, match="expected duckdb, local"):
        spark.session(address)


def test_a_spark_elsewhere_in_the_process_is_refused(local_spark):
    with pytest.raises(DeclarationError, match=r"a Spark at local\[2,2\] in this process already"):
        spark.session("local[1]")
    assert spark.cores(spark.session(local_spark)) == 2


@pytest.fixture
def numbers(local_spark, tmp_path):
    """Ten rows in a file whose folder is named with signs that Spark would expand."""
    import pyarrow.parquet as pq

    path = tmp_path / "a b [c] {d} *" / "numbers.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"number": range(10)}), path)
    return spark.read(spark.session(local_spark), [path])


def test_a_function_runs_on_every_partition(numbers):
    def counting(batches):
        yield pa.RecordBatch.from_pydict({"rows": [sum(batch.num_rows for batch in batches)]})

    found = spark.answers(numbers.repartition(3, "number"), counting, "rows long")
    assert len(found) == 3
    assert sum(one["rows"] for one in found) == 10


def test_a_failure_says_its_kind_and_never_what_was_in_the_rows(numbers):
    def failing(batches):
        raise ValueError(f"Zoltrix {next(iter(batches))}")
        yield

    with pytest.raises(DataRefused, match="a task that failed on Spark") as caught:
        spark.answers(numbers, failing, "rows long")
    assert "Zoltrix" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_refusal_of_ours_comes_back_as_a_sentence(numbers):
    def refusing(_):
        raise DataRefused("rows-strange", found="7 strange rows", expected="none", repair="Look at them.")
        yield

    with pytest.raises(DataRefused, match=r"It said: Found 7 strange rows; expected none. Look at them."):
        spark.answers(numbers, refusing, "rows long")
