// Copyright: (c) 2026, hardening.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A TCP balancer in front of several API servers, for hosts that cannot pull the image kind wants for it.
//
// kind starts it as `envoy -c FILE` and then writes two files beside that one: lds.yaml names the port to
// listen on, cds.yaml the API servers. Only these two facts are read from them.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

const (
	checkInterval = time.Second
	dialTimeout   = time.Second
)

var (
	serverPattern = regexp.MustCompile(`address:\s+"?([^\s"{}]+)"?\s+port_value:\s+(\d+)`)
	healthClient  = &http.Client{
		Timeout: 2 * time.Second,
		Transport: &http.Transport{
			// Only readiness is asked; clients check the certificate themselves, end to end.
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true,
		},
	}
)

// addresses returns every HOST:PORT that a configuration file of kind's names, in order.
func addresses(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var found []string
	for _, match := range serverPattern.FindAllStringSubmatch(string(text), -1) {
		found = append(found, net.JoinHostPort(match[1], match[2]))
	}
	return found
}

// isHealthy: any answer but a server error counts, since a hardened API server may refuse anonymous requests.
func isHealthy(address string) bool {
	answer, err := healthClient.Get("https://" + address + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode < http.StatusInternalServerError
}

type pool struct {
	servers atomic.Pointer[[]string]
	next    atomic.Uint64
}

func (p *pool) watch(path string) {
	for ; ; time.Sleep(checkInterval) {
		known := addresses(path)
		verdicts := make([]bool, len(known))
		var group sync.WaitGroup
		for i, address := range known {
			group.Add(1)
			go func() {
				defer group.Done()
				verdicts[i] = isHealthy(address)
			}()
		}
		group.Wait()
		var healthy, other []string
		for i, address := range known {
			if verdicts[i] {
				healthy = append(healthy, address)
			} else {
				other = append(other, address)
			}
		}
		// While the first server starts none is ready, and kubeadm asks it through here all the same.
		if len(healthy) == 0 {
			healthy = other
		}
		p.servers.Store(&healthy)
	}
}

func (p *pool) dial() (net.Conn, error) {
	servers := p.servers.Load()
	if servers == nil || len(*servers) == 0 {
		return nil, fmt.Errorf("no API server is known yet")
	}
	var last error
	first := p.next.Add(1)
	for i := range *servers {
		address := (*servers)[(int(first)+i)%len(*servers)]
		connection, err := net.DialTimeout("tcp", address, dialTimeout)
		if err == nil {
			return connection, nil
		}
		last = err
	}
	return nil, last
}

func (p *pool) serve(client net.Conn) {
	defer client.Close()
	server, err := p.dial()
	if err != nil {
		log.Print(err)
		return
	}
	defer server.Close()
	// Either side's end ends both, so that a client whose server died looks for another one at once.
	ended, end := context.WithCancel(context.Background())
	go func() { defer end(); io.Copy(server, client) }()
	go func() { defer end(); io.Copy(client, server) }()
	<-ended.Done()
}

func main() {
	if len(os.Args) != 3 || os.Args[1] != "-c" {
		log.Fatal("usage: envoy -c FILE")
	}
	folder := filepath.Dir(os.Args[2])
	servers := &pool{}
	go servers.watch(filepath.Join(folder, "cds.yaml"))

	var listen []string
	for len(listen) == 0 {
		time.Sleep(100 * time.Millisecond)
		listen = addresses(filepath.Join(folder, "lds.yaml"))
	}
	listener, err := net.Listen("tcp", listen[0])
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", listen[0])
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go servers.serve(client)
	}
}
