"""The agents page: files of a project, edited with their problems in sight."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input, OptionList

from tests.doubles.studio import shown, until
from voicebot.studio.agents.editor import Editor
from voicebot.studio.agents.page import Agents
from voicebot.studio.app import Studio
from voicebot.studio.look.ask import Ask, Choose


def page(app: Studio) -> Agents:
    return next(each for each in app.screen_stack if isinstance(each, Agents))


async def opened(pilot: object, app: Studio) -> Editor:
    await until(pilot, lambda: page(app).reading.agent is not None)  # type: ignore[arg-type]  # as run_test gives it
    return page(app).query_one(Editor)


async def test_a_problem_stands_beside_its_line_while_one_types(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await opened(pilot, app)
        editor.focus()
        editor.move_cursor((2, 0))
        await pilot.press(*"greting: Hi", "enter")
        await until(pilot, lambda: "unknown key 'greting'. Did you mean 'greeting'?" in shown(app))
        await until(pilot, lambda: "3:1" in shown(app))
        assert (dental / "agents/ava.yaml").read_text().count("greting") == 0


async def test_enter_on_a_problem_goes_to_its_line(dental: Path) -> None:
    (dental / "agents/ava.yaml").write_text("name: Ava\nflow: 3\nlanguage: en\n")
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: page(app).reading.problems)
        await until(pilot, lambda: "2:7" in shown(app))
        page(app).query_one("#problems", OptionList).focus()
        await pilot.press("enter")
        assert page(app).query_one(Editor).cursor_location[0] == 1


async def test_saving_writes_the_file_and_a_mistake_can_be_undone(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await opened(pilot, app)
        editor.focus()
        before = editor.text
        await pilot.press("ctrl+home", *"# mine", "enter")
        assert page(app).unsaved
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not page(app).unsaved)
        assert (dental / "agents/ava.yaml").read_text().startswith("# mine\n")
        while editor.text != before:
            await pilot.press("ctrl+z")
        assert page(app).unsaved


async def test_quitting_asks_about_what_is_not_saved(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await opened(pilot, app)
        editor.focus()
        await pilot.press("x", "ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("escape")
        assert app.is_running
        assert page(app).unsaved
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("down", "enter")
        await until(pilot, lambda: not app.is_running or app._exit)
    assert (dental / "agents/ava.yaml").read_text()[0] != "x"


async def test_a_new_agent_comes_from_a_template_under_its_own_name(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"ava", "enter")
        await until(pilot, lambda: "is there already" in shown(app))
        app.screen.query_one(Input).value = "post"
        await pilot.press("enter")
        await until(pilot, lambda: (dental / "agents/post.yaml").exists())
        await until(pilot, lambda: "post" in shown(app).splitlines()[1])
        await until(pilot, lambda: page(app).reading.agent is not None)
    assert "post_tools.py:" in (dental / "agents/post.yaml").read_text()


async def test_the_difference_to_what_ran_last_is_shown(dental: Path) -> None:
    folder = next((dental / "calls").iterdir())
    text = (dental / "agents/ava.yaml").read_text()
    (folder / "agent.yaml").write_text(text.replace("How can I help you?", "Yes?"))
    app = Studio(dental)
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press("escape", "d")
        await until(pilot, lambda: "+greeting: Bright Smile Dental, this is Ava. How can I help you?" in shown(app))
        await until(pilot, lambda: "-greeting: Bright Smile Dental, this is Ava. Yes?" in shown(app))


async def test_a_vanished_file_is_told_and_can_be_written_again(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        (dental / "agents/ava.yaml").unlink()
        page(app).look()
        await until(pilot, lambda: "gone from the disk" in shown(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: (dental / "agents/ava.yaml").exists())


async def test_what_somebody_else_wrote_is_taken_in_unless_it_would_lose_typing(dental: Path) -> None:
    app = Studio(dental)
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await opened(pilot, app)
        (dental / "agents/ava.yaml").write_text("# theirs\n" + editor.text)
        page(app).look()
        await until(pilot, lambda: editor.text.startswith("# theirs"))
        editor.focus()
        await pilot.press("x")
        (dental / "agents/ava.yaml").write_text("# again\n")
        page(app).look()
        await until(pilot, lambda: "changed by somebody else" in shown(app))
        assert "# theirs" in editor.text


async def test_an_empty_project_says_how_to_begin(nothing: Path) -> None:
    app = Studio(nothing)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No agents in this project yet." in shown(app))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        await pilot.press("home", "enter")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"desk", "enter")
        await until(pilot, lambda: (nothing / "agents/desk.yaml").exists())
        await until(pilot, lambda: page(app).reading.agent is not None)
    assert (nothing / "tools.py").exists()
    assert (nothing / "evals").is_dir()
