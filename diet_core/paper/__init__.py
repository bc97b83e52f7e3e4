"""The figures and tables of Fayyaz et al. (2022), made on any data set."""
