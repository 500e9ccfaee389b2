// Copyright: (c) 2026, hardening.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// kube-apiserver as it is, but for one thing: it looks for a new encryption configuration every two seconds and not
// once a minute, for which there is no flag. Tests that rotate keys many times would spend most of their time waiting.
package main

import (
	"os"
	"time"

	"k8s.io/apiserver/pkg/server/options/encryptionconfig/controller"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	controller.EncryptionConfigFileChangePollDuration = 2 * time.Second
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
