package boss

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Meta reads the metadata key of a collection, or of an experiment or a channel
// in it, by their names. ok is false if there is no such key.
func (c *Client) Meta(ctx context.Context, key string, names ...string) (value string, ok bool, err error) {
	path, err := metaPath(names)
	if err != nil {
		return "", false, err
	}
	var v struct{ Value string }
	err = c.getJSON(ctx, path, url.Values{"key": {key}}, &v)
	if isNoKey(err) {
		return "", false, nil
	}
	return v.Value, err == nil, err
}

// isNoKey recognises the 400 that BOSS gives for a key that is not there, "Key
// offsets Not found in the database": the code is that of other faults, too.
func isNoKey(err error) bool {
	return IsExisting(err) && strings.Contains(strings.ToLower(err.Error()), "not found")
}

// AddMeta sets a metadata key that the resource of these names does not have. If
// it has one, the error is one for which [IsExisting] is true, and its value stays.
func (c *Client) AddMeta(ctx context.Context, key, value string, names ...string) error {
	return c.sendMeta(ctx, http.MethodPost, key, value, names, http.StatusCreated)
}

// SetMeta sets the metadata key of the resource of these names, whether or not
// there was such a key before.
func (c *Client) SetMeta(ctx context.Context, key, value string, names ...string) error {
	err := c.AddMeta(ctx, key, value, names...)
	if IsExisting(err) {
		err = c.sendMeta(ctx, http.MethodPut, key, value, names, http.StatusOK)
	}
	return err
}

func (c *Client) sendMeta(ctx context.Context, method, key, value string, names []string, want int) error {
	path, err := metaPath(names)
	if err != nil {
		return err
	}
	return c.sendJSON(ctx, method, path, url.Values{"key": {key}, "value": {value}}, nil, want)
}
