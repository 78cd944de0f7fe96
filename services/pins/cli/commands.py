"""``ringtrue models``: the commands of the group, in the order of a pin's life. Each is imported when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

COMMANDS: Mapping[str, str] = {
    "lock": "lock_commands:lock",
    "pull": "pull_commands:pull_command",
    "verify": "store_commands:verify_command",
    "list": "store_commands:list_command",
    "diff": "store_commands:diff_command",
    "remove": "store_commands:remove_command",
    "export": "carry_commands:export_command",
    "import": "carry_commands:import_command",
    "watch": "lock_commands:watch_pins",
    "promote": "alias_commands:promote",
    "rollback": "alias_commands:rollback",
    "aliases": "alias_commands:aliases",
}
"""Name -> module and the command in it."""


class _OnDemand(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__package__}.{module}"), attribute)
        return command


@click.group(cls=_OnDemand, context_settings={"help_option_names": ["-h", "--help"]})
def models() -> None:
    """Models pinned to their bytes: what the team wants (catalog.toml), which bytes that means (catalog.lock), and the
    files."""
