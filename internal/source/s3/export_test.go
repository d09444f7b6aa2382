package s3

// Held is the memory in bytes that the heads and windows of b's files take.
func Held(b *Bucket) int64 {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	p := b.pool
	return int64(p.heads.made)*int64(p.heads.size) + int64(p.windows.made)*int64(p.windows.size)
}

// Lent is how many of b's buffers are not in stock.
func Lent(b *Bucket) int {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	p := b.pool
	return p.heads.made - len(p.heads.free) + p.windows.made - len(p.windows.free)
}
