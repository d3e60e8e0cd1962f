"""What the READMEs name is there: links, paths, rooms, commands and their options."""

import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from tests.repository import REPOSITORY

FOLDERS = ("gateway", "services", "shared", "tests")
READMES = [
    file.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", *(f"{folder}/**/*.md" for folder in FOLDERS))
    for file in sorted(REPOSITORY.glob(pattern))
]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/\S*")
COMMAND = re.compile(r"-m (?P<module>(?:gateway|services)[\w.]*)(?: (?P<names>[a-z][a-z|-]*))?(?P<rest>[^#]*)")
DOOR = re.compile(r"^\| `python -m (?P<module>\S+) (?P<name>\S+)` \| (?P<does>.*) \|$", re.MULTILINE)


def prose_of(readme: str | Path) -> str:
    return FENCED.sub("", (REPOSITORY / readme).read_text(encoding="utf-8"))


def spans_of(prose: str) -> list[str]:
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def code_of(readme: str) -> Iterator[str]:
    """Each line of the blocks, and each span within a sentence."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    for block in FENCED.findall(text):
        yield from re.sub(r"\\\n\s*", " ", block).splitlines()
    prose = prose_of(readme)
    yield from (line for line in prose.splitlines() if line.startswith("    "))
    yield from spans_of(prose)


def anchors_of(readme: str | Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(readme), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@cache
def commands_of(module: str) -> dict[str, click.Command]:
    """A module with one command only, such as `gateway`, has none by name."""
    cli = getattr(importlib.import_module(f"{module}.__main__"), "cli", None)
    return dict(typer.main.get_command(cli).commands) if cli else {}


@pytest.mark.parametrize("readme", READMES)
def test_relative_links_lead_somewhere(readme):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(readme)):
        if re.match("[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (REPOSITORY / readme).parent / path if path else REPOSITORY / readme
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("readme", READMES)
def test_paths_from_the_root_exist(readme):
    for path in filter(PATH.fullmatch, spans_of(prose_of(readme))):
        assert any(REPOSITORY.glob(path.rstrip("/"))), path


@pytest.mark.parametrize("readme", READMES)
def test_extras_that_pip_is_to_install_are_the_projects(readme):
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for named in re.findall(r"'\.\[([\w,]+)\]'", " ".join(code_of(readme))):
        assert set(named.split(",")) <= set(extras), named


@pytest.mark.slow
@pytest.mark.parametrize("readme", READMES)
def test_commands_and_their_options_are_real(readme):
    for command in filter(None, map(COMMAND.search, code_of(readme))):
        commands = commands_of(command["module"])
        for name in command["names"].split("|") if command["names"] else ():
            assert name in commands, command[0]
            parameters = parameters_of(commands[name], command["rest"])
            options = {option for parameter in parameters for option in parameter.opts}
            assert set(re.findall(r"(?<=[ \[])--[a-z][a-z-]*", command["rest"])) <= options, command[0]


def parameters_of(command: click.Command, rest: str) -> list[click.Parameter]:
    """Of a command, and of those of its own that `rest` names: `create`, or `create|list`."""
    below = getattr(command, "commands", {})
    named = re.match(r" ([a-z|-]+)", rest)
    names = named[1].split("|") if below and named else []
    assert set(names) <= set(below), rest
    return [*command.params, *(parameter for name in names for parameter in below[name].params)]


@pytest.mark.slow
@pytest.mark.parametrize("readme", ["services/image_index/README.md", "services/text_classifier/README.md"])
def test_the_front_doors_of_a_service_name_every_command(readme):
    """A row is one command, or a door (`…`) whose commands stand beside it."""
    named: dict[str, set[str]] = {}
    for door in DOOR.finditer(prose_of(readme)):
        names = spans_of(door["does"]) if door["name"] == "…" else [door["name"]]
        named.setdefault(door["module"], set()).update(names)
    service = Path(readme).parent.as_posix().replace("/", ".")
    assert named == {
        module: set(commands_of(module)) for module in (service, f"{service}.evaluation", f"{service}.training")
    }


def test_the_rooms_that_a_newcomer_is_shown_exist_and_none_is_left_out():
    section = re.search(r"^## The rooms$(.*?)^## ", prose_of("README.md"), re.MULTILINE | re.DOTALL)[1]
    shown = set()
    for bullet in section.split("\n- ")[1:]:
        house, *rooms = spans_of(bullet.split("\n\n")[0])
        shown.add(house)
        for room in filter(str.isidentifier, rooms):
            assert any((REPOSITORY / house / name).exists() for name in (room, f"{room}.py")), f"{house}/{room}"
            shown.add(f"{house}/{room}")
        shown.update(filter(PATH.fullmatch, rooms))
    houses = [*(REPOSITORY / "services").iterdir(), REPOSITORY / "gateway", REPOSITORY / "shared"]
    packages = [
        folder.relative_to(REPOSITORY).as_posix()
        for house in houses
        for folder in (house, *house.glob("*/"))
        if (folder / "__init__.py").exists()
    ]
    in_both = {f"services/text_classifier/{room}" for room in ("examples", "evaluation", "training")}
    assert set(packages) <= shown | in_both


@pytest.mark.parametrize("readme", READMES)
def test_every_curl_line_is_one_that_is_run(readme):
    """tests/e2e/test_readme.py runs those of the console blocks."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    elsewhere = re.sub(r"^```console\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"\bcurl +['\"h-].*", elsewhere)
