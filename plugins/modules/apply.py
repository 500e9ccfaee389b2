#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
short_description: Apply or remove any number of Kubernetes objects
version_added: 1.0.0
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
description:
  - Applies any number of objects of any kinds in one task, by server-side apply, in parallel, and writes only what is
    not right yet.
  - An object is right when every desired field has its value and the field manager owns exactly the desired fields.
    A field that is taken out of the definition is therefore taken out of the object.
  - Objects go in an order that works, whatever order they are given in. Custom resources wait until their
    CustomResourceDefinition is served.
  - An object that fails does not keep the others back. All results are returned, and the task fails at the end.
options:
  definition:
    description:
      - The objects, as a list, as one object, or as text of YAML documents.
      - A C(List) is unfolded into its items.
    type: raw
  src:
    description:
      - Files of YAML or JSON documents, or folders of such files, on the controller.
      - Relative paths are looked for as in other modules, in C(files) of the role or beside the playbook.
    type: list
    elements: path
  state:
    description:
      - Whether the objects should be there.
      - Removing what is not there, or whose kind is not there, changes nothing.
    type: str
    choices: [present, absent]
    default: present
  namespace:
    description:
      - The namespace of objects that name none and need one.
    type: str
  field_manager:
    description:
      - Who is to own the fields. Objects and fields that belong to different owners need different names.
    type: str
    default: hardening.kubernetes/apply
  force_conflicts:
    description:
      - Whether to take over fields that another field manager owns with another value.
      - Otherwise such an object fails, and the failure names the manager and its fields.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until all objects are ready, or with O(state=absent) gone.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait, for all objects together.
    type: int
    default: 120
  workers:
    description:
      - How many requests may be under way at once.
    type: int
    default: 32
  retry_timeout:
    description:
      - How many seconds to bear with a server that goes away during the work.
      - A server that cannot be reached at the start fails the task at once.
    type: int
    default: 60
extends_documentation_fragment:
  - hardening.kubernetes.record
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.changes
attributes:
  check_mode:
    details:
      - The API server judges each object by its dry run.
        It cannot judge an object whose namespace or kind does not exist yet. Such an object is reported as created,
        with C(verified) unknown.
  diff_mode:
    details:
      - Values of Secrets are left out.
seealso:
  - module: kubernetes.core.k8s
"""

EXAMPLES = r"""
- name: Apply all manifests of a folder and wait until everything is ready
  hardening.kubernetes.apply:
    src: manifests/
    wait: true

- name: Label namespaces
  hardening.kubernetes.apply:
    definition:
      - apiVersion: v1
        kind: Namespace
        metadata:
          name: production
          labels:
            team: payments

- name: Remove an object
  hardening.kubernetes.apply:
    state: absent
    definition:
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata:
        name: allow-all
        namespace: production
"""

RETURN = r"""
objects:
  description: What became of each object, in the order in which they were given.
  returned: always
  type: list
  elements: dict
  contains:
    api_version:
      description: The object's C(apiVersion).
      type: str
      returned: always
    kind:
      description: The object's kind.
      type: str
      returned: always
    namespace:
      description: The object's namespace, empty for an object of the whole cluster.
      type: str
      returned: always
    name:
      description: The object's name.
      type: str
      returned: always
    action:
      description:
        - What was done, or in check mode would be.
        - V(adopted) means that no value changed and only the ownership of fields did.
      type: str
      returned: always
      sample: created
    diff:
      description:
        - The parts that changed, C(before) and C(after). Empty where nothing changed.
        - Of objects that are created or deleted it is all of them, and there with C(--diff) alone.
      type: dict
      returned: always
    warnings:
      description: What the API server warned of.
      type: list
      elements: str
      returned: always
    error:
      description: Why it failed.
      type: str
      returned: when the object failed
    verified:
      description: V(unknown) where check mode could not ask the API server.
      type: str
      returned: in check mode, for objects whose namespace or kind does not exist yet
findings:
  description: Always empty. This module judges nothing.
  returned: always
  type: list
  elements: dict
summary:
  description: How many objects there are of each action.
  returned: always
  type: dict
  sample:
    created: 2
    updated: 0
    adopted: 0
    deleted: 0
    unchanged: 198
    failed: 0
"""
