"""Providers of clusters, driven through the Commands port."""
