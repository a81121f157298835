// ServingAPI
