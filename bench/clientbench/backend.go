// SPDX-License-Identifier: Apache-2.0

// A stand-in for an engine, as fast as may be: it reads a request, waits, and writes a prepared answer. Endpoints: /generate, of
// which the query names the answer's size in bytes and the delay in milliseconds, and /stats, with the connections seen.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var accepted atomic.Int64
var bodies sync.Map

// An answer as SGLang gives it, filled up to about size bytes with log-probabilities.
func answer(size int) []byte {
	if known, ok := bodies.Load(size); ok {
		return known.([]byte)
	}
	var body strings.Builder
	body.WriteString(`{"text":" Paris is the capital.","output_ids":[3681,374,279,6864,13],"meta_info":{"id":"r",` +
		`"finish_reason":{"type":"length","length":5},"prompt_tokens":5,"weight_version":"default",` +
		`"completion_tokens":5,"cached_tokens":0,"e2e_latency":0.01,"output_token_logprobs":[[-0.25,3681,null]`)
	for body.Len() < size-3 {
		fmt.Fprintf(&body, `,[-%d.%07d,%d,null]`, body.Len()%9, body.Len(), body.Len()%32000)
	}
	body.WriteString(`]}}`)
	whole := []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.String()))
	bodies.Store(size, whole)
	return whole
}

func number(query string, name string, otherwise int) int {
	for _, part := range strings.Split(query, "&") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			if parsed, err := strconv.Atoi(value); err == nil {
				return parsed
			}
		}
	}
	return otherwise
}

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 4096)
	lines := textproto.NewReader(reader)
	for {
		first, err := lines.ReadLine()
		if err != nil {
			return
		}
		length := 0
		for {
			line, err := lines.ReadLineBytes()
			if err != nil {
				return
			}
			if len(line) == 0 {
				break
			}
			if len(line) > 15 && strings.EqualFold(string(line[:15]), "content-length:") {
				length, _ = strconv.Atoi(strings.TrimSpace(string(line[15:])))
			}
		}
		if _, err := io.CopyN(io.Discard, reader, int64(length)); err != nil {
			return
		}
		target := strings.Fields(first)[1]
		path, query, _ := strings.Cut(target, "?")
		out := []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		if strings.HasPrefix(path, "/stats") {
			text := strconv.FormatInt(accepted.Load(), 10)
			out = []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
		} else if strings.HasSuffix(path, "/generate") {
			// A base URL cannot have a query, so a path in front may say the same: /size=300&delay=4000/generate
			query += "&" + strings.Trim(strings.TrimSuffix(path, "/generate"), "/")
			if delay := number(query, "delay", 0); delay > 0 {
				time.Sleep(time.Duration(delay) * time.Millisecond)
			}
			out = answer(number(query, "size", 300))
		}
		if _, err := connection.Write(out); err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		accepted.Add(1)
		go serve(connection)
	}
}
