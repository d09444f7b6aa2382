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

// SetMeta sets the metadata key of the resource of these names, whether or not
// there was such a key before.
func (c *Client) SetMeta(ctx context.Context, key, value string, names ...string) error {
	path, err := metaPath(names)
	if err != nil {
		return err
	}
	query := url.Values{"key": {key}, "value": {value}}
	err = c.sendJSON(ctx, http.MethodPost, path, query, nil, http.StatusCreated)
	if IsExisting(err) {
		err = c.sendJSON(ctx, http.MethodPut, path, query, nil, http.StatusOK)
	}
	return err
}
