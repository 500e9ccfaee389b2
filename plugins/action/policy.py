# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a policy and tells each role its part of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted
from ansible.utils.vars import load_extra_vars
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import (
    load,
    named,
    namespace_objects,
    parts,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._scope import limited
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import check_limit
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction

DEFAULT_NAME = "cluster-policy.yml"
SUFFIXES = frozenset({".yml", ".yaml"})


class ActionModule(HardeningAction):
    """The policy file, read by rules of its own and never as Ansible variables."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        "path": {"type": "list", "elements": "path", "default": []},
        "reserved_variables": {"type": "list", "elements": "str", "default": []},
        "only": {"type": "list", "elements": "str"},
        "canary": {"type": "list", "elements": "str"},
    }

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Find the files, read them, and return ``policy`` and the ``files`` that it was read from."""
        only, canary = (_limit(arguments[option], option) for option in ("only", "canary"))
        _refuse_variables(load_extra_vars(self._loader), arguments["reserved_variables"])
        folders = _folders(task_vars)
        files = [file for path in arguments["path"] or [DEFAULT_NAME] for file in _found(path, folders)]
        sources = [self._source(file) for file in files]
        policy = limited(load(sources), only)
        return {
            "changed": False,
            "policy": policy,
            "namespaces": namespace_objects(policy),
            "parts": parts(policy, only),
            "named": named(policy, only),
            "only": only,
            "canary": canary,
            "files": [str(file) for file in files],
            # With -v, Ansible shows results, and whoever encrypts a file does not mean it to be read there.
            **({"_ansible_no_log": True} if any(source.encrypted for source in sources) else {}),
        }

    def _source(self, file: Path) -> Source:
        name = _shown(file)
        try:
            raw = file.read_bytes()
            if is_encrypted(raw):
                return Source(name, str(self._loader.get_text_file_contents(str(file))), encrypted=True)
            return Source(name, raw.decode("utf-8"))
        except OSError as error:
            raise _unreadable(name, error) from error
        except UnicodeDecodeError as error:
            raise HardeningError(f"The policy file {name} is not UTF-8 text: save it as UTF-8.") from error
        except AnsibleError as error:
            raise HardeningError(
                f"The policy file {name} is encrypted, and no vault password that was given opens it: "
                "give one by --ask-vault-pass, --vault-password-file or --vault-id."
            ) from error


def _limit(said: list[str] | None, option: str) -> list[str]:
    """Names and globs; one that was given and names nobody is refused, since it would come to mean all."""
    if said is None:
        return []
    globs = [each.strip() for each in said]
    check_limit(globs or [""], option)
    return globs


def _refuse_variables(extra: Iterable[str], reserved: Sequence[str]) -> None:
    """Extra variables go before all others, so that one with the name of a role's would replace the policy unseen."""
    taken = sorted(name for name in extra if name.startswith(tuple(reserved)))
    if taken:
        raise HardeningError(
            f"Take {', '.join(taken)} out of the extra variables (-e): what is to be done stands in the policy alone."
        )


def _folders(task_vars: dict[str, Any]) -> list[Path]:
    """Where a relative path may begin: here, beside the playbook that was called, beside the one that runs."""
    arguments = [Path(argument) for argument in context.CLIARGS.get("args") or ()]
    called = [argument.resolve().parent for argument in arguments if argument.is_file()]
    folders = [Path.cwd(), *called[:1], Path(task_vars.get("playbook_dir") or ".").resolve()]
    return list(dict.fromkeys(folders))


def _found(path: str, folders: list[Path]) -> list[Path]:
    if not path:
        raise HardeningError("The path of the policy is empty: name a file with `-e policy=FILE`, or leave it out.")
    try:
        return _files(path, folders)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(name: str, error: OSError) -> HardeningError:
    return HardeningError(f"The policy file {name} cannot be read: {error.strerror}.")


def _files(path: str, folders: list[Path]) -> list[Path]:
    """The files that a path means: itself, or what lies in the folder that it is, by name."""
    candidates = [folder / path for folder in folders]
    there = next((candidate for candidate in candidates if candidate.exists()), None)
    if there is None:
        looked = " or ".join(str(candidate) for candidate in candidates[: 1 if Path(path).is_absolute() else None])
        raise HardeningError(f"There is no policy file {looked}: name yours with `-e policy=FILE`.")
    if not there.is_dir():
        return [there]
    files = sorted(file for file in there.iterdir() if file.suffix in SUFFIXES and not file.name.startswith("."))
    if not files:
        raise HardeningError(f"The folder {_shown(there)} holds no policy: no file in it ends in .yml or .yaml.")
    return files


def _shown(file: Path) -> str:
    """A path as short as it can be said from where the user stands."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
