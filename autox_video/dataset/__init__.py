"""What your data is: lists read, videos probed, facts measured."""
