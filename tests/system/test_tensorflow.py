from tests.conftest import run_program


def test_tensorflow_starts_without_keras_and_loads_it_when_it_is_asked_for() -> None:
    program = (
        "import sys\n"
        "from audionet.system.tensorflow import start_tensorflow\n"
        "tf = start_tensorflow()\n"
        "print([name for name in ('keras', 'sklearn', 'pandas', 'matplotlib') if name in sys.modules])\n"
        "print(tf.keras.layers.Dense(1).units, start_tensorflow() is tf)\n"
    )
    finished = run_program(program)
    assert (finished.stdout, finished.stderr) == ("[]\n1 True\n", "")
