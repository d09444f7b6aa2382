// Package rendertest is a small render web service for tests.
package rendertest
