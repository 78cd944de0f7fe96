"""What clients send: reads and checks JSON, forms, headers, and the fields of jobs and studies."""
