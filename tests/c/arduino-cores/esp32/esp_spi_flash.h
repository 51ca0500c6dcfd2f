/* Before ESP-IDF 5 the types of mapped flash were here. */
