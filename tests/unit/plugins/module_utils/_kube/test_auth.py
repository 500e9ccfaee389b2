# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube import _auth
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._connections import bypasses_proxy
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._credentials import Identity, basic
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import BadConnection, Unauthorized

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api, self_signed


def kubeconfig(
    server: str = "https://one.example.com", user: dict[str, Any] | None = None, **cluster: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "first",
        "contexts": [
            {"name": "first", "context": {"cluster": "one", "user": "jane"}},
            {"name": "second", "context": {"cluster": "two", "user": "jane"}},
            {"name": "production", "context": {"cluster": "gone", "user": "jane"}},
        ],
        "clusters": [
            {"name": "one", "cluster": {"server": server, **cluster}},
            {"name": "two", "cluster": {"server": "https://two.example.com"}},
        ],
        "users": [{"name": "jane", "user": user or {"token": "abc"}}],
    }


def written(path: Path, config: Any) -> str:
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return str(path)


def identity(client: Client) -> Identity:
    return client._target.credentials.identity()


def test_a_kubeconfig_may_be_a_path_or_a_dictionary(tmp_path: Path) -> None:
    for given in (kubeconfig(), written(tmp_path / "config", kubeconfig())):
        client = connect({"kubeconfig": given})
        assert (client.server, identity(client).authorization) == ("https://one.example.com", "Bearer abc")
        assert connect({"kubeconfig": given, "context": "second"}).server == "https://two.example.com"


def test_single_options_win(tmp_path: Path) -> None:
    client = connect(
        {"kubeconfig": kubeconfig(), "host": "https://other.example.com/", "api_key": "xyz", "validate_certs": False}
    )
    assert (client.server, identity(client).authorization) == ("https://other.example.com", "Bearer xyz")
    assert not client._target.verify
    assert tmp_path.exists()


def test_a_user_that_acts_as_somebody_does_so_here() -> None:
    config = kubeconfig()
    acting = {
        "as": "jane",
        "as-uid": "7",
        "as-groups": ["developers"],
        "as-user-extra": {"example.com/reason": ["on call"]},
    }
    config["users"][0]["user"] |= acting
    headers = (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "developers"),
        ("Impersonate-Extra-example.com%2Freason", "on call"),
    )
    assert connect({"kubeconfig": config})._target.impersonation == headers
    said = connect({"kubeconfig": config, "impersonate_user": "joe"})._target.impersonation
    assert said == (("Impersonate-User", "joe"),)


def test_where_the_kubeconfig_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadConnection, match="No cluster is named: give kubeconfig"):
        connect({})
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    written(home / ".kube" / "config", kubeconfig("https://home.example.com"))
    assert connect({}).server == "https://home.example.com"
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "variable", kubeconfig("https://variable.example.com")))
    assert connect({}).server == "https://variable.example.com"
    assert connect({"kubeconfig": written(tmp_path / "given", kubeconfig())}).server == "https://one.example.com"


def test_several_kubeconfigs_are_merged_and_the_first_wins(tmp_path: Path) -> None:
    first = {
        "contexts": [{"name": "mixed", "context": {"cluster": "two", "user": "joe"}}],
        "users": [{"name": "jane", "user": {"token": "first"}}],
    }
    second = {
        **kubeconfig(),
        "users": [{"name": "jane", "user": {"token": "second"}}, {"name": "joe", "user": {"token": "joe"}}],
    }
    paths = f"{written(tmp_path / 'a', first)}:{tmp_path / 'missing'}:{written(tmp_path / 'b', second)}"
    assert identity(connect({"kubeconfig": paths})).authorization == "Bearer first"
    mixed = connect({"kubeconfig": paths, "context": "mixed"})
    assert (mixed.server, identity(mixed).authorization) == ("https://two.example.com", "Bearer joe")


def test_paths_in_a_kubeconfig_start_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    certificate, key = self_signed(tmp_path / "deep")
    user = {"client-certificate": certificate.name, "client-key": key.name}
    path = written(tmp_path / "deep" / "config", kubeconfig(user=user, **{"certificate-authority": certificate.name}))
    client = connect({"kubeconfig": path})
    assert identity(client) == Identity("", certificate.read_text(), key.read_text())
    assert client._target.ca == certificate.read_text()


def test_data_in_a_kubeconfig(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    encoded = {path: base64.b64encode(path.read_bytes()).decode() for path in (certificate, key)}
    user = {"client-certificate-data": encoded[certificate], "client-key-data": encoded[key]}
    client = connect({"kubeconfig": kubeconfig(user=user, **{"certificate-authority-data": encoded[certificate]})})
    assert identity(client) == Identity("", certificate.read_text(), key.read_text())
    assert key.read_text() not in repr(identity(client))


def test_a_client_certificate_reaches_the_server(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with fake_api((certificate, key)) as api:
        given = {"host": api.url, "client_cert": str(certificate), "client_key": str(key), "ca_cert": str(certificate)}
        assert connect(given).version() == (1, 36)


def test_the_ways_around_in_a_kubeconfig() -> None:
    cluster = {"insecure-skip-tls-verify": True, "proxy-url": "http://proxy.example.com:3128", "tls-server-name": "api"}
    target = connect({"kubeconfig": kubeconfig(**cluster)})._target
    assert (target.verify, target.proxy, target.tls_server_name) == (False, "http://proxy.example.com:3128", "api")
    assert connect({"kubeconfig": kubeconfig(**cluster), "proxy": "http://other:1"})._target.proxy == "http://other:1"


@pytest.mark.parametrize(
    ("server", "proxy"),
    [("https://one.example.com", "http://proxy:1"), ("https://127.0.0.1:6443", ""), ("https://localhost", "")],
)
def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, server: str, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    assert connect({"kubeconfig": kubeconfig(server)})._target.proxy == proxy


BYPASSES = [
    ("https://10.1.2.3:6443", "10.0.0.0/8", True),
    ("https://11.1.2.3:6443", "10.0.0.0/8", False),
    ("https://api.example.com", "example.com", True),
    ("https://api.example.com", ".example.com,other", True),
    ("https://notexample.com", "example.com", False),
    ("https://a", "*", True),
    ("https://a", "", False),
    ("https://[::1]:6443", "::1", True),
    ("https://A.example.com", "*.EXAMPLE.com", True),
]


@pytest.mark.parametrize(("server", "no_proxy", "bypassed"), BYPASSES)
def test_what_goes_around_the_proxy(server: str, no_proxy: str, bypassed: bool) -> None:
    assert bypasses_proxy(server, no_proxy) is bypassed


def test_a_pods_own_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, _key = self_signed(tmp_path)
    (tmp_path / "ca.crt").write_text(certificate.read_text())
    (tmp_path / "token").write_text("mine\n")
    monkeypatch.setattr(_auth, "_IN_CLUSTER", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    client = connect({})
    assert (client.server, identity(client).authorization) == ("https://[fd00::1]:443", "Bearer mine")


PLUGIN = """#!{python}
import json, os, sys
assert json.loads(os.environ["KUBERNETES_EXEC_INFO"])["kind"] == "ExecCredential"
runs = int(open({count!r}).read() or 0) + 1
open({count!r}, "w").write(str(runs))
if os.environ.get("FAIL"):
    sys.exit("please log in first")
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {status}}}))
"""


def plugin(folder: Path, status: str, **more: Any) -> dict[str, Any]:
    (folder / "count").write_text("")
    script = folder / "plugin"
    script.write_text(PLUGIN.format(python=sys.executable, count=str(folder / "count"), status=status))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "args": ["a"], **more}}


def test_an_exec_plugin_gives_a_token_and_is_run_again_when_that_is_refused(api: FakeApi, tmp_path: Path) -> None:
    user = plugin(tmp_path, '{"token": f"token-{runs}"}')
    client = connect({"kubeconfig": kubeconfig(api.url, user)})
    assert identity(client).authorization == "Bearer token-1"
    api.tokens = {"token-2"}
    assert client.parallel(lambda _number: client.request("GET", "/version").status, range(20)) == [200] * 20
    assert (tmp_path / "count").read_text() == "2"


def test_an_exec_plugin_is_not_run_for_every_refused_request(api: FakeApi, tmp_path: Path) -> None:
    client = connect({"kubeconfig": kubeconfig(api.url, plugin(tmp_path, '{"token": "always-the-same"}'))})
    api.tokens = {"another"}
    for _number in range(5):
        with pytest.raises(Unauthorized, match="401"):
            client.request("GET", "/version")
    assert (tmp_path / "count").read_text() == "2"


def test_an_exec_plugin_is_run_again_when_its_token_expires(api: FakeApi, tmp_path: Path) -> None:
    user = plugin(tmp_path, '{"token": f"token-{runs}", "expirationTimestamp": f"{runs}999-01-01T00:00:00Z"}')
    client = connect({"kubeconfig": kubeconfig(api.url, user)})
    client.version()
    assert api.requests[0].headers["Authorization"] == "Bearer token-2"


def test_an_exec_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    status = json.dumps({"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()})
    client = connect({"kubeconfig": kubeconfig(user=plugin(tmp_path, status))})
    assert identity(client) == Identity("", certificate.read_text(), key.read_text())


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        ("{}", {}, "printed neither a token nor a client certificate: log in"),
        (
            '{"token": "a"}',
            {"env": [{"name": "FAIL", "value": "1"}]},
            "failed, run it by hand to see why: .*please log in first",
        ),
        (
            '{"token": "a"}',
            {"command": "/nowhere/plugin", "installHint": "get it from example.com"},
            "plugin is not there: get it from",
        ),
        ('{"token": "a"}', {"command": "/nowhere/plugin"}, "is not there: install it"),
        ("None", {}, "exec plugin .* (failed|printed)"),
    ],
)
def test_an_exec_plugin_that_fails(tmp_path: Path, status: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(BadConnection, match=words):
        connect({"kubeconfig": kubeconfig(user=plugin(tmp_path, status, **more))})


def jwt(expires: int) -> str:
    parts = [{"alg": "none"}, {"exp": expires}, {}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def test_an_old_auth_provider_gives_its_token() -> None:
    token = jwt(4_000_000_000)
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    client = connect({"kubeconfig": kubeconfig(user=user, **{"certificate-authority": "/dev/null"})})
    assert identity(client).authorization == f"Bearer {token}" and client.server == "https://one.example.com"


@pytest.mark.parametrize(
    "provider",
    [{"name": "unheard-of"}, {"name": "oidc", "config": {"id-token": "no jwt"}}, {"name": "oidc", "config": {}}],
)
def test_an_old_auth_provider_without_a_token(provider: dict[str, Any]) -> None:
    with pytest.raises(BadConnection, match="auth-provider gave no"):
        connect({"kubeconfig": kubeconfig(user={"auth-provider": provider})})


def test_an_exec_plugin_that_wants_to_know_the_cluster(api: FakeApi, tmp_path: Path) -> None:
    status = '{"token": json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]["cluster"]["server"]}'
    client = connect({"kubeconfig": kubeconfig(api.url, plugin(tmp_path, status, provideClusterInfo=True))})
    assert identity(client).authorization == f"Bearer {api.url}"


GIVEN_WITH_A_LINE_BREAK: dict[str, dict[str, Any]] = {
    "Bearer a": {"host": "https://a", "api_key": "a\r\n"},
    "Bearer b": {"kubeconfig": kubeconfig(user={"token": "b\n"})},
    basic("jane", "c"): {"host": "https://a", "username": "jane", "password": "c\n"},
    basic("jane", "d"): {"kubeconfig": kubeconfig(user={"username": "jane", "password": "d\n"})},
}


@pytest.mark.parametrize(("sent", "given"), GIVEN_WITH_A_LINE_BREAK.items(), ids=GIVEN_WITH_A_LINE_BREAK)
def test_a_line_break_at_the_end_of_a_secret_is_not_part_of_it(sent: str, given: dict[str, Any]) -> None:
    assert identity(connect(given)).authorization == sent


UNSENDABLE: dict[str, dict[str, Any]] = {
    "api_key holds a line break": {"host": "https://a", "api_key": "s3cr3t\nX-Remote-User: root"},
    "api_key is no token": {"host": "https://a", "api_key": "s3cr3t token"},
    "password holds a line break": {"host": "https://a", "username": "jane", "password": "s3cr3t\x00"},
    "The user's token in the kubeconfig holds a line": {"kubeconfig": kubeconfig(user={"token": "s3cr3t\n\nx"})},
}


@pytest.mark.parametrize(("words", "given"), UNSENDABLE.items(), ids=UNSENDABLE)
def test_a_secret_that_no_header_can_hold_is_not_shown(words: str, given: dict[str, Any]) -> None:
    with pytest.raises(BadConnection, match=words) as caught:
        connect(given)
    assert "s3cr3t" not in str(caught.value)


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no such file": ({"kubeconfig": "/nowhere/config"}, "The kubeconfig /nowhere/config does not exist"),
    "a context mistyped": (
        {"kubeconfig": kubeconfig(), "context": "secnd"},
        "no context 'secnd' in .*: did you mean second?",
    ),
    "a context unknown": (
        {"kubeconfig": kubeconfig(), "context": "zzz"},
        "no context 'zzz' .*: it has first, second, production",
    ),
    "a cluster that is not there": ({"kubeconfig": kubeconfig(), "context": "production"}, "no cluster 'gone'"),
    "no current context": ({"kubeconfig": {"contexts": []}}, "no context is current"),
    "no server": ({"kubeconfig": kubeconfig("")}, "has no server"),
    "no URL": ({"host": "cluster.example.com", "api_key": "a"}, "is not a URL: write it like"),
    "half a pair": ({"host": "https://a", "client_cert": "/a"}, "client_cert and client_key belong together"),
    "no such certificate": (
        {"host": "https://a", "client_cert": "/nowhere", "client_key": "/nowhere"},
        "client_cert file /nowhere cannot be read .No such file",
    ),
    "no such authority": ({"kubeconfig": kubeconfig(), "ca_cert": "/nowhere"}, "ca_cert file /nowhere cannot be read"),
    "no base64": (
        {"kubeconfig": kubeconfig(**{"certificate-authority-data": "?"})},
        "certificate-authority-data in the kubeconfig",
    ),
    "groups of nobody": ({"kubeconfig": kubeconfig(), "impersonate_groups": ["a"]}, "without impersonate_user"),
    "an empty token file": (
        {"kubeconfig": kubeconfig(user={"tokenFile": "/dev/null"})},
        "token file /dev/null is empty",
    ),
}


@pytest.mark.parametrize(("given", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_wrong_setting_is_one_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadConnection, match=words):
        connect(given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is not YAML, line 2"),
        ("- a", "holds no kubeconfig"),
        ("", "holds no kubeconfig"),
        ("users: {a: 1}", "holds no kubeconfig"),
    ],
)
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadConnection, match=words):
        connect({"kubeconfig": written(tmp_path / "config", text + "\n")})
