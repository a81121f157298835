print("foldserve")
