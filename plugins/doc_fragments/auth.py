# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to reach a cluster."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, several paths joined as in E(PATH), or a kubeconfig's content as a dictionary.
      - Also read from E(K8S_AUTH_KUBECONFIG), then from E(KUBECONFIG), then from C(~/.kube/config).
        In a pod without any of these, its service account is used.
      - Options given one by one win over what the kubeconfig says.
    type: raw
  context:
    description:
      - Name of a context in the kubeconfig. Without it the current context is used.
      - Also read from E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server.
      - Also read from E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Bearer token.
      - Also read from E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User name for HTTP basic authentication.
      - Also read from E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password for HTTP basic authentication.
      - Also read from E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description:
      - Path of a PEM file with the client certificate.
      - Also read from E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of a PEM file with the client certificate's key.
      - Also read from E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of a PEM file with the certificate authorities that may have signed the API server's certificate.
      - Also read from E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the API server's certificate. It is verified unless this or the kubeconfig says otherwise.
      - Also read from E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP or SOCKS proxy on the way to the API server.
      - Also read from E(K8S_AUTH_PROXY), then from the kubeconfig, then from E(HTTPS_PROXY).
        A server on the controller itself is reached without the proxy of E(HTTPS_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts, domains, addresses and CIDRs, separated by commas, that are reached without the proxy.
      - Also read from E(K8S_AUTH_NO_PROXY), then from E(NO_PROXY).
    type: str
  proxy_headers:
    description:
      - What to tell the proxy in headers.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User name and password for the proxy, joined by a colon.
          - Also read from E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User name and password, joined by a colon, sent to the proxy as if to a server.
          - Also read from E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - User agent that the proxy is told.
          - Also read from E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  impersonate_user:
    description:
      - User to act as.
      - Also read from E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups of the user to act as.
      - Also read from E(K8S_AUTH_IMPERSONATE_GROUPS), where commas separate them.
    type: list
    elements: str
notes:
  - Runs on the controller, whatever the host of the play is.
requirements:
  - kubernetes >= 32 (Python package, for the controller's Python)
  - PyYAML >= 6
"""
