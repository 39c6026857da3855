import platform
import subprocess
import sys

import pytest

# A chunk's samples, made and freed over and over, in a thread as the commands do it.
PROGRAM = """
import resource, sys, threading
import numpy as np
from audionet.parallel.memory import keep_freed_memory
if sys.argv[1:]:
    keep_freed_memory()
def work():
    for _ in range(50):
        arrays = [np.ones(340_000) for _ in range(6)]
        del arrays
for thread in [threading.Thread(target=work) for _ in range(2)]:
    thread.start()
    thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the memory is not managed by glibc")
def test_memory_that_was_freed_is_not_asked_of_the_system_again() -> None:
    faults = [int(subprocess.check_output([sys.executable, "-c", PROGRAM, *words])) for words in ([], ["keep"])]
    assert faults[1] < faults[0] / 2
