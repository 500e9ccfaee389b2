// Copyright: (c) 2026, hardening.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The network half of the toolbox image: what Debian's busybox lacks or gets wrong.
//
// It runs under several names (links to one file):
//
//	nc -z [-w SECONDS] HOST PORT        exit 0 open, 1 refused or unreachable, 2 timed out; one word on stderr with -v
//	nc [-w SECONDS] HOST PORT           joins the connection with standard input and output
//	nc -l [-k] -p PORT [-e PROGRAM]     serves one connection, with -k one after another
//	wget [-q] [-T SECONDS] [-O FILE] URL
//	timeout SECONDS COMMAND ...         exit 124 when time is up
//	toolbox connect [-t SECONDS] HOST PORT    prints open, refused, timeout, unreachable or unresolved; exit 0 to 4
//	toolbox serve --port PORT [--name NAME] [--upstream HOST:PORT]   an HTTP server that asks its upstream each time
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// outcomes lists what a connection attempt can end in; the index is the exit status of `connect`.
var outcomes = []string{"open", "refused", "timeout", "unreachable", "unresolved"}

func dial(host, port string, limit time.Duration) (net.Conn, int) {
	connection, err := (&net.Dialer{Timeout: limit}).Dial("tcp", net.JoinHostPort(host, port))
	var dns *net.DNSError
	var network net.Error
	switch {
	case err == nil:
		return connection, 0
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, 1
	case errors.As(err, &dns):
		return nil, 4
	case errors.As(err, &network) && network.Timeout():
		return nil, 2
	default:
		return nil, 3
	}
}

func fail(status int, message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(status)
}

func seconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Second))
}

// spread turns `-zw1` and `-lkp 80`, as people write them for nc, into flags that package flag understands.
func spread(arguments []string, withValue string) []string {
	var out []string
	for _, argument := range arguments {
		if len(argument) < 3 || argument[0] != '-' || argument[1] == '-' {
			out = append(out, argument)
			continue
		}
		for i := 1; i < len(argument); i++ {
			out = append(out, "-"+argument[i:i+1])
			if strings.ContainsRune(withValue, rune(argument[i])) {
				if i+1 < len(argument) {
					out = append(out, argument[i+1:])
				}
				break
			}
		}
	}
	return out
}

func nc(arguments []string) {
	flags := flag.NewFlagSet("nc", flag.ExitOnError)
	scan := flags.Bool("z", false, "only look whether the port is open")
	listen := flags.Bool("l", false, "listen")
	keep := flags.Bool("k", false, "keep listening")
	port := flags.String("p", "", "port to listen on")
	program := flags.String("e", "", "program to join each connection with")
	verbose := flags.Bool("v", false, "say what happened")
	flags.Bool("n", false, "accepted, without effect")
	wait := flags.Float64("w", 10, "seconds to wait for a connection")
	flags.Parse(spread(arguments, "pew"))
	if *listen {
		accept(*port, *program, *keep)
		return
	}
	if flags.NArg() != 2 {
		fail(64, "usage: nc [-z] [-v] [-w SECONDS] HOST PORT | nc -l [-k] -p PORT [-e PROGRAM]")
	}
	connection, outcome := dial(flags.Arg(0), flags.Arg(1), seconds(*wait))
	if *verbose {
		fmt.Fprintln(os.Stderr, outcomes[outcome])
	}
	if outcome != 0 {
		if outcomes[outcome] == "timeout" {
			os.Exit(2)
		}
		os.Exit(1)
	}
	if *scan {
		return
	}
	go func() {
		io.Copy(connection, os.Stdin)
		connection.(*net.TCPConn).CloseWrite()
	}()
	connection.SetReadDeadline(time.Now().Add(seconds(*wait)))
	io.Copy(os.Stdout, connection)
}

func accept(port, program string, keep bool) {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		fail(1, err.Error())
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			fail(1, err.Error())
		}
		if !keep {
			join(connection, program)
			return
		}
		go join(connection, program)
	}
}

func join(connection net.Conn, program string) {
	defer connection.Close()
	if program == "" {
		io.Copy(os.Stdout, connection)
		return
	}
	words := strings.Fields(program)
	command := exec.Command(words[0], words[1:]...)
	file, err := connection.(*net.TCPConn).File()
	if err != nil {
		return
	}
	defer file.Close()
	command.Stdin, command.Stdout, command.Stderr = file, file, os.Stderr
	command.Run()
}

func wget(arguments []string) {
	flags := flag.NewFlagSet("wget", flag.ExitOnError)
	flags.Bool("q", false, "accepted, without effect")
	target := flags.String("O", "-", "file to write, - for standard output")
	wait := flags.Float64("T", 10, "seconds to wait")
	flags.Parse(spread(arguments, "OT"))
	address := flags.Arg(0)
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	answer, err := (&http.Client{Timeout: seconds(*wait)}).Get(address)
	if err != nil {
		fail(1, err.Error())
	}
	defer answer.Body.Close()
	out := os.Stdout
	if *target != "-" {
		if out, err = os.Create(*target); err != nil {
			fail(1, err.Error())
		}
	}
	io.Copy(out, answer.Body)
	if answer.StatusCode >= http.StatusBadRequest {
		fail(8, answer.Status)
	}
}

func timeout(arguments []string) {
	if len(arguments) < 2 {
		fail(125, "usage: timeout SECONDS COMMAND ...")
	}
	limit, err := time.ParseDuration(strings.TrimSuffix(arguments[0], "s") + "s")
	if err != nil {
		fail(125, err.Error())
	}
	ended, end := context.WithTimeout(context.Background(), limit)
	defer end()
	command := exec.CommandContext(ended, arguments[1], arguments[2:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case ended.Err() != nil:
		os.Exit(124)
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	case err != nil:
		fail(127, err.Error())
	}
}

func connect(arguments []string) {
	flags := flag.NewFlagSet("connect", flag.ExitOnError)
	wait := flags.Float64("t", 2, "seconds to wait")
	flags.Parse(arguments)
	if flags.NArg() != 2 {
		fail(64, "usage: toolbox connect [-t SECONDS] HOST PORT")
	}
	_, outcome := dial(flags.Arg(0), flags.Arg(1), seconds(*wait))
	fmt.Println(outcomes[outcome])
	os.Exit(outcome)
}

func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	port := flags.String("port", "8080", "port to listen on")
	name := flags.String("name", "toolbox", "how the server calls itself")
	upstream := flags.String("upstream", "", "HOST:PORT of another such server to ask on each request")
	flags.Parse(arguments)
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	err := http.ListenAndServe(":"+*port, http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		if *upstream == "" {
			fmt.Fprintf(out, "%s: ok\n", *name)
			return
		}
		answer, err := client.Get("http://" + *upstream + "/")
		if err != nil {
			http.Error(out, fmt.Sprintf("%s: cannot reach %s: %v", *name, *upstream, err), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		out.WriteHeader(answer.StatusCode)
		fmt.Fprintf(out, "%s -> %s", *name, body)
	}))
	fail(1, err.Error())
}

func main() {
	commands := map[string]func([]string){
		"nc": nc, "wget": wget, "timeout": timeout, "connect": connect, "serve": serve,
	}
	words := append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...)
	if words[0] == "toolbox" {
		words = words[1:]
	}
	if len(words) > 0 {
		if command, known := commands[words[0]]; known {
			command(words[1:])
			return
		}
	}
	fail(64, "usage: toolbox connect|serve|nc|wget|timeout ...")
}
