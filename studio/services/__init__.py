"""What the studio can do, without a window: plain synchronous Python with progress callbacks."""
