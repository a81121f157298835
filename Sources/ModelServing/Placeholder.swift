// ModelServing
