// Package proc runs the bench's parts as processes of their own: a child is told what to do over its standard input, one
// JSON object a line, and answers the same way on its standard output. A child ends when its input ends, so none outlives
// the bench, however the bench ends.
package proc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// request and answer are the lines of the protocol.
type request struct {
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
}

type answer struct {
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Handler answers one operation. Its result is encoded as JSON.
type Handler func(ctx context.Context, args json.RawMessage) (any, error)

// Typed makes a Handler from a function that takes its arguments as a struct.
func Typed[A, R any](f func(context.Context, A) (R, error)) Handler {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, err
		}
		return f(ctx, args)
	}
}

// Serve answers requests from in on out, one after the other, until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, handlers map[string]Handler) error {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var req request
		if err := decoder.Decode(&req); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if err := encoder.Encode(handle(ctx, req, handlers)); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
}

func handle(ctx context.Context, req request, handlers map[string]Handler) answer {
	handler, ok := handlers[req.Op]
	if !ok {
		return answer{Error: "unknown operation " + req.Op}
	}
	result, err := handler(ctx, req.Args)
	if err != nil {
		return answer{Error: err.Error()}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: raw}
}

// Child is a running process that Serve answers in. Its methods are not safe for concurrent use.
type Child struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// Start runs the executable with one more environment entry, which tells it its role. Its standard error is ours. The
// process is killed when ctx ends.
func Start(ctx context.Context, name, executable, env string) (*Child, error) {
	cmd := exec.CommandContext(ctx, executable)
	cmd.Env = append(os.Environ(), env)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &Child{name: name, cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// PID is the child's process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Call sends one request and waits for its answer, which it decodes into result.
func (c *Child) Call(op string, args, result any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("%s %s: %w", c.name, op, err)
	}
	if err := json.NewEncoder(c.in).Encode(request{Op: op, Args: raw}); err != nil {
		return fmt.Errorf("%s %s: %w", c.name, op, err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s %s: the process has ended: %w", c.name, op, err)
	}
	var ans answer
	if err := json.Unmarshal(line, &ans); err != nil {
		return fmt.Errorf("%s %s: %w", c.name, op, err)
	}
	if ans.Error != "" {
		return fmt.Errorf("%s %s: %s", c.name, op, ans.Error)
	}
	return json.Unmarshal(ans.Result, result)
}

// Close ends the child's input and waits until it has ended.
func (c *Child) Close() error {
	_ = c.in.Close() // An error means that the child has ended already, which Wait reports.
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}
