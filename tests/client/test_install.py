"""What a calling service has to install for the client."""

import subprocess
import sys

OURS = ("mailvet", "mailvet__mypyc")
"""The package, and what a compiled one has beside it."""
BASE = ("grpc", "google", "google_crc32c", "typing_extensions")
"""The import names of grpcio, protobuf, googleapis-common-protos, google-crc32c and their needs."""

PROGRAM = """
import sys
import sysconfig

class OnlyTheBaseInstall:
    def find_spec(self, name, path, target=None):
        top = name.partition(".")[0]
        if top not in {allowed!r} and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{{name}} is not in the base install", name=name)

sys.meta_path.insert(0, OnlyTheBaseInstall())
import mailvet.client
print(sorted(mailvet.client.__all__))
"""


def test_the_client_needs_the_base_install_only() -> None:
    """`mailvet.client` is imported with what the base install names, alone."""
    program = PROGRAM.format(allowed=(*OURS, *BASE))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ("['Client', 'FieldViolation', 'ServiceError', 'connect']\n", "") == (
        done.stdout,
        done.stderr,
    )


def test_help_needs_no_more_either() -> None:
    """`mailvet --help` and the commands that call a server work without the server's libraries."""
    program = PROGRAM.format(allowed=(*OURS, *BASE)).replace(
        "import mailvet.client\nprint(sorted(mailvet.client.__all__))",
        "from mailvet.cli.main import main\nmain(['batches', '--target', '127.0.0.1:1'])",
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (1, "") == (done.returncode, done.stdout)
    assert "no mailvet server answers at 127.0.0.1:1" in done.stderr


def test_a_command_of_the_server_says_what_to_install() -> None:
    """Without the server's libraries `mailvet serve` names the extra that has them."""
    program = PROGRAM.format(allowed=(*OURS, *BASE)).replace(
        "import mailvet.client\nprint(sorted(mailvet.client.__all__))",
        "from mailvet.cli.main import main\nmain(['serve'])",
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (1, "") == (done.returncode, done.stdout)
    assert "pip install 'mailvet[server]'" in done.stderr
